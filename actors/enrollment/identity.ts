import { X509Certificate } from 'node:crypto';
import { ServerError } from '../errors.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const envoyUriPrefix = 'vigo://envoy/';

/** The name that an envoy's certificate carries as its subject alternative name. */
export function envoyUri(envoyId: string): string {
  return `${envoyUriPrefix}${envoyId}`;
}

export function isEnvoyId(text: string): boolean {
  return uuidPattern.test(text);
}

/**
 * The envoy that a verified client certificate belongs to, from its only URI name.
 * Throws CERTIFICATE_IDENTITY_MISSING. `certificate` is DER, or already parsed.
 */
export function envoyIdFromCertificate(certificate: Uint8Array | X509Certificate): string {
  return envoyIdFromAltName(readAltName(certificate));
}

/** Same for the text that Node shows ("URI:vigo://envoy/<uuid>"), such as PeerCertificate.subjectaltname. */
export function envoyIdFromAltName(altName: string | undefined): string {
  const expected = `URI:${envoyUriPrefix}`;
  if (altName?.startsWith(expected)) {
    const envoyId = altName.slice(expected.length);
    if (isEnvoyId(envoyId)) return envoyId;
  }
  throw new ServerError('CERTIFICATE_IDENTITY_MISSING');
}

function readAltName(certificate: Uint8Array | X509Certificate): string | undefined {
  if (certificate instanceof X509Certificate) return certificate.subjectAltName;
  try {
    return new X509Certificate(certificate).subjectAltName;
  } catch (cause) {
    throw new ServerError('CERTIFICATE_IDENTITY_MISSING', {}, { cause });
  }
}

/** UUID version 4 (RFC 9562) from 16 random bytes, lower case. */
export function uuidFromBytes(bytes: Uint8Array): string {
  const copy = Uint8Array.from(bytes.subarray(0, 16));
  copy[6] = ((copy[6] ?? 0) & 0x0f) | 0x40;
  copy[8] = ((copy[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(copy).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
