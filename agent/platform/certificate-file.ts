import { X509Certificate } from 'node:crypto';

export interface CertificateFacts {
  /** Names in one line, such as "CN=www.example.org, O=Example". */
  readonly subject: string;
  readonly issuer: string;
  readonly notAfterMs: number;
}

/** The first certificate of a PEM or DER file; undefined when there is none in it. */
export function readCertificate(content: Uint8Array): CertificateFacts | undefined {
  try {
    const { subject, issuer, validTo } = new X509Certificate(content);
    const notAfterMs = Date.parse(validTo);
    if (Number.isNaN(notAfterMs)) return undefined;
    return { subject: inOneLine(subject), issuer: inOneLine(issuer), notAfterMs };
  } catch {
    // OpenSSL tells apart a hundred ways of not being a certificate; none matters here.
    return undefined;
  }
}

function inOneLine(names: string | undefined): string {
  return (names ?? '').split('\n').join(', ');
}
