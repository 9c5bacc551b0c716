import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminError } from '../errors.ts';

/** Where the server is and how to be believed and to believe it. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** PEM of the CA that must have signed the server's certificate. */
  readonly caPem: string;
  /** Port of the agents' endpoint, when it is known. */
  readonly grpcPort: number | undefined;
}

export interface ConnectionOptions {
  /** Home of a local server; its files give the rest. */
  readonly home?: string;
  /** "https://host:port" or "host:port". */
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export const systemHome = '/srv/vigo';
const defaultApiPort = 8443;

/** The home of a local server, as far as one is named or stands at its usual place. */
export function localHome(
  options: ConnectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return options.home ?? environment.VIGO_HOME ?? (existsSync(systemHome) ? systemHome : undefined);
}

/** Options win over VIGO_HOME / VIGO_SERVER / VIGO_TOKEN_FILE / VIGO_CA_FILE, these over /srv/vigo. */
export function connectionOf(
  options: ConnectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Connection {
  const home = localHome(options, environment);
  const server = options.server ?? environment.VIGO_SERVER;
  if (home === undefined && server === undefined) throw new AdminError('CLI_NO_SERVER');
  const running = home === undefined ? undefined : runningServer(home, server !== undefined);
  const url = parseServer(server ?? `127.0.0.1:${running?.apiPort ?? defaultApiPort}`);
  return {
    ...url,
    token: readSecret(
      options.tokenFile ?? environment.VIGO_TOKEN_FILE ?? inHome(home, 'keys/admin-token'),
      'the API token',
    ),
    caPem: readSecret(
      options.caFile ?? environment.VIGO_CA_FILE ?? inHome(home, 'tls/ca.cert.pem'),
      "the CA's certificate",
    ),
    grpcPort: running?.grpcPort,
  };
}

interface RunningServer {
  readonly apiPort: number;
  readonly grpcPort: number;
}

/** What the running server wrote about itself into its home. */
function runningServer(home: string, optional: boolean): RunningServer | undefined {
  try {
    return JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as RunningServer;
  } catch {
    if (optional) return undefined;
    const known = existsSync(home) ? 'no server runs there' : 'there is no such directory';
    throw new AdminError('CLI_UNREACHABLE', `${home}: ${known}`);
  }
}

function inHome(home: string | undefined, file: string): string | undefined {
  return home === undefined ? undefined : join(home, file);
}

function readSecret(path: string | undefined, what: string): string {
  if (path === undefined) throw new AdminError('CLI_NO_SERVER', `${what} is not named`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_NO_SERVER', `${what} cannot be read: ${reason}`);
  }
}

function parseServer(text: string): { host: string; port: number } {
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `https://${text}`);
  } catch {
    throw new AdminError('CLI_USAGE', `--server ${text} is not host:port`);
  }
  if (url.protocol !== 'https:') {
    throw new AdminError('CLI_USAGE', `--server ${text}: only https is spoken`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port || defaultApiPort) };
}
