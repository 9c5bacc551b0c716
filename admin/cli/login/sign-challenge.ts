import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { AdminError } from '../../errors.ts';
import { parseChallenge } from '../../login/challenge-text.ts';
import { keyOfBlob } from '../../login/public-key.ts';
import { assembleSshSignature, bytesToSign, loginNamespace } from '../../login/signature.ts';
import { SshAgent } from './ssh-agent.ts';

/** Keys of an agent that are offered for one login; the server takes as many. */
export const signaturesMax = 8;
const outputBytesMax = 64 * 1024;

/**
 * Refuses to sign what is not a login of this account at the server with this authority: a signature that
 * a foreign server asked for must be worth nothing elsewhere. Throws CLI_WRONG_CHALLENGE.
 */
export function checkChallenge(challenge: string, account: string, caPem: string): void {
  const fields = parseChallenge(challenge);
  const authority = new X509Certificate(caPem).fingerprint256.replaceAll(':', '').toLowerCase();
  if (fields === undefined) throw new AdminError('CLI_WRONG_CHALLENGE', 'it is no challenge');
  if (fields.account !== account) throw new AdminError('CLI_WRONG_CHALLENGE', 'another account');
  if (fields.authority !== authority) {
    throw new AdminError('CLI_WRONG_CHALLENGE', `it is for the server ${fields.server}`);
  }
}

/** One signature for each Ed25519 key of the agent. Throws CLI_SSH_AGENT. */
export async function signWithAgent(
  challenge: string,
  socketPath: string | undefined,
): Promise<string[]> {
  if (!socketPath) throw new AdminError('CLI_SSH_AGENT', 'SSH_AUTH_SOCK is not set');
  const agent = new SshAgent(socketPath);
  const usable = (await agent.identities()).filter(({ blob }) => isEd25519(blob));
  if (usable.length === 0) throw new AdminError('CLI_SSH_AGENT', 'it holds no Ed25519 key');
  const signatures: string[] = [];
  for (const { blob } of usable.slice(0, signaturesMax)) {
    signatures.push(assembleSshSignature(blob, await agent.sign(blob, bytesToSign(challenge))));
  }
  return signatures;
}

function isEd25519(blob: Uint8Array): boolean {
  try {
    return keyOfBlob(blob).length > 0;
  } catch {
    return false;
  }
}

/**
 * The signature of a key file of OpenSSH, by OpenSSH: it asks for the passphrase itself, and takes a .pub
 * whose private half is in the agent. Throws CLI_SSH_KEY with what it said.
 */
export function signWithKeyFile(challenge: string, file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new AdminError('CLI_SSH_KEY', `${file}: ${reason}`));
    const child = spawn('ssh-keygen', ['-Y', 'sign', '-n', loginNamespace, '-f', file], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = { signature: '', words: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.signature.length < outputBytesMax) output.signature += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (output.words.length < outputBytesMax) output.words += text;
    });
    child.on('error', (error) => fail(`ssh-keygen does not run: ${error.message}`));
    child.on('close', (code) => {
      if (code === 0) resolve(output.signature);
      else fail(output.words.trim().split('\n').at(-1) || `ssh-keygen ended with ${code}`);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(challenge);
  });
}
