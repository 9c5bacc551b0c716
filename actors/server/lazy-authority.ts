import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { AuthorityPorts, CertificateAuthority } from './certificate-authority.ts';

/**
 * The CA for a thread that seldom signs: its name is known at once, the X.509 library is loaded with
 * the first signature, so that a restarted server serves its fleet sooner. Throws when the
 * certificate is not of the key.
 */
export function lazyAuthority(
  files: { certificatePem: string; keyPem: string },
  ports: AuthorityPorts,
): CertificateAuthority {
  const certificate = new X509Certificate(files.certificatePem);
  if (!certificate.checkPrivateKey(createPrivateKey(files.keyPem))) {
    throw new Error('the CA certificate is not of the CA key');
  }
  const { raw } = certificate;
  let opened: Promise<CertificateAuthority> | undefined;
  const authority = (): Promise<CertificateAuthority> => {
    opened ??= import('./certificate-authority.ts').then(({ openCertificateAuthority }) =>
      openCertificateAuthority(files, ports),
    );
    return opened;
  };
  return {
    certificateDer: new Uint8Array(raw),
    certificatePem: files.certificatePem,
    fingerprint: createHash('sha256').update(raw).digest('hex'),
    signEnvoyRequest: async (request, grant) =>
      await (await authority()).signEnvoyRequest(request, grant),
    issueEnvoy: async (publicKey, grant) => await (await authority()).issueEnvoy(publicKey, grant),
    issueServer: async (key, names, validityMs) =>
      await (await authority()).issueServer(key, names, validityMs),
  };
}
