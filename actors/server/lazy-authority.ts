import { createHash, X509Certificate } from 'node:crypto';
import type { AuthorityPorts, CertificateAuthority } from './certificate-authority.ts';

/**
 * The CA for a thread that seldom signs: its name is known at once, the X.509 library is loaded with
 * the first signature, so that a restarted server serves its fleet sooner.
 */
export function lazyAuthority(
  files: { certificatePem: string; keyPem: string },
  ports: AuthorityPorts,
): CertificateAuthority {
  const { raw } = new X509Certificate(files.certificatePem);
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
