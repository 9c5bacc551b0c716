import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AgentError } from '../errors.ts';
import type { ServerPin } from '../identity/server-pin.ts';

/** Certificates of one chain that are looked at. */
const chainLimit = 8;

/**
 * Checks an established connection whose certificate TLS itself was told not to check: the chain
 * must hold the pinned CA, that CA must have issued the server's certificate, both must be valid
 * now, and the certificate must name the host. Throws AGENT_SERVER_PIN_MISMATCH.
 */
export function verifyPinnedServer(socket: TLSSocket, host: string, pin: ServerPin): void {
  // Only once: the call takes the certificate out of OpenSSL's chain.
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw mismatch('the server showed no certificate');
  const authority = findAuthority(leaf, pin);
  if (!authority.ca) throw mismatch('the pinned certificate is not one of an authority');
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey))
    throw mismatch('the pinned authority did not issue the certificate of the server');
  const nowMs = Date.now();
  for (const certificate of [leaf, authority])
    if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo))
      throw mismatch(
        `a certificate is valid from ${certificate.validFrom} to ${certificate.validTo}`,
      );
  const named = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
  if (named === undefined)
    throw mismatch(`the certificate is for ${leaf.subjectAltName ?? leaf.subject}, not ${host}`);
}

function findAuthority(leaf: X509Certificate, pin: ServerPin): X509Certificate {
  if (pin.kind === 'authority') return new X509Certificate(pin.pem);
  const chain = presentedChain(leaf);
  const found = chain.find((certificate) => fingerprint(certificate).startsWith(pin.sha256));
  if (found === undefined)
    throw mismatch(
      `pinned is ${pin.sha256}, presented are ${chain.map(fingerprint).join(', ') || 'none'}`,
    );
  return found;
}

function presentedChain(leaf: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = leaf;
  while (next !== undefined && chain.length < chainLimit) {
    const current: X509Certificate = next;
    if (chain.some((known) => known.fingerprint256 === current.fingerprint256)) break;
    chain.push(current);
    next = current.issuerCertificate;
  }
  return chain;
}

function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function mismatch(detail: string): AgentError {
  return new AgentError('AGENT_SERVER_PIN_MISMATCH', detail);
}
