import { X509Certificate } from 'node:crypto';
import { AgentError } from '../errors.ts';
import type { IdentityCrypto } from '../identity/identity.ts';
import { equalBytes } from '../protocol/bytes.ts';
import { publicKeyLength } from '../protocol/crypto.ts';
import { generateKeyPem, pemSigner } from './crypto.ts';
import { agreementKey, nodeHpke } from './hpke-primitives.ts';

/** Keys and certificates by node:crypto. */
export const nodeIdentityCrypto: IdentityCrypto = {
  generateKeyPem,
  signer: pemSigner,
  agreementKey,
  hpke: nodeHpke,
  fingerprint: (pem) => fingerprint(new X509Certificate(pem)),
  issuedChain(chain, publicKey) {
    const leaf = parse(chain[0]);
    const authority = parse(chain.at(-1));
    const spki = leaf.publicKey.export({ format: 'der', type: 'spki' });
    if (!equalBytes(spki.subarray(-publicKeyLength), publicKey))
      throw broken('the certificate is for another key');
    if (!authority.ca || !leaf.checkIssued(authority) || !leaf.verify(authority.publicKey))
      throw broken('the certificate is not issued by the authority that came with it');
    return {
      certificatePem: chain.map((der) => parse(der).toString()).join(''),
      authorityPem: authority.toString(),
      authoritySha256: fingerprint(authority),
    };
  },
};

function parse(der: Uint8Array | undefined): X509Certificate {
  if (der === undefined) throw broken('no certificate came back');
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw broken('a certificate cannot be read', cause);
  }
}

function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function broken(detail: string, cause?: unknown): AgentError {
  return new AgentError('AGENT_IDENTITY_BROKEN', detail, { cause });
}
