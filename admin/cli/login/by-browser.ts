import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { AdminError } from '../../errors.ts';
import { comparedCode, pkceChallenge } from '../../login/program-login.ts';
import { askLine, mayAsk } from '../ask.ts';
import type { Client } from '../client.ts';
import type { Session } from '../session.ts';
import { printable } from '../terminal-text.ts';
import { CodeListener } from './code-listener.ts';

/** As long as the server keeps a login at the provider. */
const patienceMs = 600_000;
const verifierBytes = 32;

interface Methods {
  readonly oidc: string | null;
  readonly oidcUrl: string | null;
}

/**
 * Lets a person log in with a browser, on this machine or any other, and exchanges what it brings back:
 * RFC 8252 with PKCE. Throws OIDC_OFF, LOGIN_NOT_FINISHED, OIDC_HANDOVER_INVALID.
 */
export async function byBrowser<Opened>(
  it: Session,
  client: Client,
  opens: boolean,
): Promise<Opened> {
  if (it.options.input === false) {
    const why = 'a login at the provider takes a person, and nobody can be asked';
    throw new AdminError('CLI_USAGE', why, undefined, 'give programs an API token of their own');
  }
  const { oidc, oidcUrl } = await client.get<Methods>('/api/v1/login/methods');
  if (oidcUrl === null) throw new AdminError('OIDC_OFF');
  const verifier = randomBytes(verifierBytes).toString('base64url');
  const challenge = pkceChallenge(verifier);
  const listener = await CodeListener.open(challenge);
  const waiting = new AbortController();
  try {
    const address = addressOf(oidcUrl, challenge, listener.port);
    tell(oidc ?? '', address, comparedCode(challenge));
    if (opens) openBrowser(address);
    const code = await Promise.race([
      listener.code,
      pasted(it, waiting.signal),
      patience(waiting.signal),
    ]);
    return await client.post<Opened>('/api/v1/login/oidc/handover', { code, verifier });
  } finally {
    waiting.abort();
    listener.close();
  }
}

function addressOf(start: string, challenge: string, port: number): string {
  const address = URL.parse(start);
  if (address?.protocol !== 'https:') {
    throw new AdminError('API_INTERNAL', 'the server gives no address to log in at');
  }
  address.search = new URLSearchParams({ challenge, port: String(port) }).toString();
  return address.href;
}

/** Nothing works without it, so it is said whatever else is to be quiet. */
function tell(provider: string, address: string, compared: string): void {
  process.stderr.write(
    `Log in with ${printable(provider)}: open this address in a browser, here or elsewhere.\n\n` +
      `  ${printable(address)}\n\n` +
      `The page must show  ${compared}  before you go on.\n`,
  );
}

/** The code that the page shows to who looks at it on another machine. */
async function pasted(it: Session, signal: AbortSignal): Promise<string> {
  const code = mayAsk(it) ? await askLine('Or paste the code of the page here: ', signal) : '';
  if (code !== '') return code;
  return await new Promise<never>(() => undefined);
}

function patience(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(new AdminError('LOGIN_NOT_FINISHED')), patienceMs);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}

/** Where there is a screen. What comes of it is seen in the browser. */
function openBrowser(address: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  if (program === 'xdg-open' && !DISPLAY && !WAYLAND_DISPLAY) return;
  spawn(program, [address], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
