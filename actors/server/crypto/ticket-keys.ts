import { createPrivateKey, hkdfSync } from 'node:crypto';

/** Name, MAC key and cipher key of TLS session tickets, as node:tls takes them. */
const keysLength = 48;
const dayMs = 86_400_000;

/**
 * The keys under which agents keep their TLS sessions. They come from the authority's key, so that a
 * fleet resumes its sessions with a server that was started again, at a part of the cost of full
 * handshakes; who has that key can make certificates anyway. Another day has other keys: then the
 * handshakes are full ones. `authorityKeyPem`: PKCS#8.
 */
export function ticketKeysOf(authorityKeyPem: string, nowMs: number): Uint8Array {
  const secret = createPrivateKey(authorityKeyPem).export({ format: 'der', type: 'pkcs8' });
  const info = `vigo tls session tickets ${Math.floor(nowMs / dayMs)}`;
  return new Uint8Array(hkdfSync('sha256', secret, '', info, keysLength));
}
