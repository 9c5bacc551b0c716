import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AdminError } from '../errors.ts';
import { readLogin } from './context/login-file.ts';
import { type Context, defaultContext, findContext, readContexts } from './context/store.ts';

/** A server and how to believe it. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
  /** PEM of the CA that must have signed the server's certificate. */
  readonly caPem: string;
  /** Port of the agents' endpoint, when it is known. */
  readonly grpcPort: number | undefined;
  /** The context that named it. */
  readonly context: string;
  /** What tells servers apart, for the login: "host:port", or "home:<dir>" of a local one. */
  readonly target: string;
}

/** Where the server is and how to be believed and to believe it. */
export interface Connection extends ServerPlace {
  /** Undefined: for what needs none, such as a login. */
  readonly token: string | undefined;
}

export interface ConnectionOptions {
  /** Name of a context. */
  readonly context?: string;
  /** Home of a local server; its files give the rest. */
  readonly home?: string;
  /** "https://host:port" or "host:port". */
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const systemHome = '/srv/vigo';
const defaultApiPort = 8443;

/** What names the server, whichever of options, environment and contexts said it. */
interface Chosen extends Omit<Context, 'name'> {
  readonly context: string;
  readonly caFile?: string | undefined;
}

/** The home of a local server, as far as one is named or stands at its usual place. */
export function localHome(
  options: ConnectionOptions,
  environment: Environment,
): string | undefined {
  const { context, home } = chosenServer(options, environment);
  if (context !== defaultContext) return home;
  return home ?? (existsSync(systemHome) ? systemHome : undefined);
}

/**
 * Options win over VIGO_CONTEXT, this over VIGO_HOME / VIGO_SERVER / VIGO_CA_FILE, these over the
 * current context, and that over /srv/vigo. Throws CLI_NO_SERVER, CLI_NO_CONTEXT, CLI_UNREACHABLE.
 */
export function serverOf(options: ConnectionOptions, environment: Environment): ServerPlace {
  const chosen = chosenServer(options, environment);
  const { context, server, authority, caFile } = chosen;
  const home = localHome(options, environment);
  if (home === undefined && server === undefined) throw new AdminError('CLI_NO_SERVER');
  const running = home === undefined ? undefined : runningServer(home, server !== undefined);
  const url = parseServer(server ?? `127.0.0.1:${running?.apiPort ?? defaultApiPort}`);
  return {
    ...url,
    caPem:
      authority !== undefined && caFile === undefined
        ? authority
        : readSecret(caFile ?? inHome(home, 'tls/ca.cert.pem'), "the CA's certificate"),
    grpcPort: running?.grpcPort,
    context,
    target: server === undefined ? `home:${resolve(home ?? '')}` : `${url.host}:${url.port}`,
  };
}

/** With the token of --token-file, of a login, or of the local administrator, in this order. */
export function connectionOf(options: ConnectionOptions, environment: Environment): Connection {
  const place = serverOf(options, environment);
  const chosen = chosenServer(options, environment);
  const named = options.tokenFile ?? defaultTokenFile(place.context, environment);
  if (named !== undefined) return { ...place, token: readSecret(named, 'the API token') };
  const login = readLogin(environment, place.context, place.target);
  if (login !== undefined) {
    if ((login.expiresAtMs ?? Number.POSITIVE_INFINITY) > Date.now()) {
      return { ...place, token: login.token };
    }
    throw new AdminError('CLI_NOT_LOGGED_IN', `the login of ${login.account} has ended`);
  }
  const file = chosen.tokenFile ?? inHome(localHome(options, environment), 'keys/admin-token');
  if (file === undefined && place.context !== defaultContext) {
    throw new AdminError('CLI_NOT_LOGGED_IN', `no login at ${place.context}`);
  }
  return { ...place, token: readSecret(file, 'the API token') };
}

/** VIGO_TOKEN_FILE is of the server that the environment names, and of no other context. */
function defaultTokenFile(context: string, { VIGO_TOKEN_FILE }: Environment): string | undefined {
  return context === defaultContext ? VIGO_TOKEN_FILE : undefined;
}

/** The name of the context that this call uses; it need not exist. Throws CLI_USAGE. */
export function contextInUse(options: ConnectionOptions, environment: Environment): string {
  const { context, home, server } = options;
  if (context !== undefined && (home ?? server) !== undefined) {
    throw new AdminError('CLI_USAGE', '--context names the server; leave out --home and --server');
  }
  if (context !== undefined) return context;
  if ((home ?? server) !== undefined) return defaultContext;
  if (environment.VIGO_CONTEXT) return environment.VIGO_CONTEXT;
  if ((environment.VIGO_HOME ?? environment.VIGO_SERVER) !== undefined) return defaultContext;
  return readContexts(environment).current ?? defaultContext;
}

function chosenServer(options: ConnectionOptions, environment: Environment): Chosen {
  const { home, server } = options;
  const name = contextInUse(options, environment);
  if (name !== defaultContext) {
    const { name: _name, ...found } = findContext(readContexts(environment), name);
    return { ...found, context: name, caFile: options.caFile };
  }
  return {
    context: name,
    ...given('home', home ?? environment.VIGO_HOME),
    ...given('server', server ?? environment.VIGO_SERVER),
    caFile: options.caFile ?? environment.VIGO_CA_FILE,
  };
}

function given<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
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

/** Throws CLI_USAGE. */
export function parseServer(text: string): { host: string; port: number } {
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
