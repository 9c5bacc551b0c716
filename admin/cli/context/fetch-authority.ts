import { createHash, X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { AdminError } from '../../errors.ts';

const handshakeTimeoutMs = 10_000;

/** As the line that installs an agent shows it. */
export const pinForm = /^sha256\/\/[A-Za-z0-9+/]{43}=$/;

/**
 * PEM of the authority that signed the certificate of the server whose key has this pin. Throws
 * CLI_UNTRUSTED_SERVER when another key answers, CLI_UNREACHABLE when none does.
 */
export async function fetchAuthority(
  { host, port }: { readonly host: string; readonly port: number },
  pin: string,
): Promise<string> {
  const socket = await handshake(host, port);
  try {
    return authorityOf(socket, pin, `${host}:${port}`);
  } finally {
    socket.destroy();
  }
}

function authorityOf(socket: TLSSocket, pin: string, where: string): string {
  const leaf: DetailedPeerCertificate = socket.getPeerCertificate(true);
  const certificate = new X509Certificate(leaf.raw);
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const found = `sha256//${createHash('sha256').update(key).digest('base64')}`;
  if (found !== pin) {
    throw new AdminError('CLI_UNTRUSTED_SERVER', `${where} has the pin ${found}, not ${pin}`);
  }
  const issuer = leaf.issuerCertificate?.raw;
  const authority = issuer && new X509Certificate(issuer);
  if (authority?.ca !== true || !certificate.verify(authority.publicKey)) {
    throw new AdminError('CLI_UNTRUSTED_SERVER', `${where} does not show its authority`);
  }
  return authority.toString();
}

function handshake(host: string, port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      socket.destroy();
      reject(new AdminError('CLI_UNREACHABLE', `${host}:${port}: ${reason}`));
    };
    const socket = connect(
      // The pin decides; nothing is sent but the handshake.
      { host, port, minVersion: 'TLSv1.3', rejectUnauthorized: false },
      () => resolve(socket),
    );
    socket.setTimeout(handshakeTimeoutMs, () => fail(`no answer in ${handshakeTimeoutMs} ms`));
    socket.on('error', (error) => fail(error.message));
  });
}
