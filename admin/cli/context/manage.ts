import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { AdminError } from '../../errors.ts';
import { type ConnectionOptions, contextInUse, parseServer, serverOf } from '../connection.ts';
import { fetchAuthority, pinForm } from './fetch-authority.ts';
import { forgetLogin, readLogin } from './login-file.ts';
import {
  type Context,
  type Contexts,
  contextNameForm,
  contextsFile,
  defaultContext,
  type Environment,
  findContext,
  readContexts,
  writeContexts,
} from './store.ts';

interface ContextView {
  readonly name: string;
  readonly current: boolean;
  readonly server: string;
  readonly account: string | undefined;
}

interface ContextDetail extends ContextView {
  /** Fingerprint of the pinned authority. */
  readonly authoritySha256: string | undefined;
  readonly tokenFile: string | undefined;
  readonly file: string | undefined;
}

export interface NewContext extends ConnectionOptions {
  readonly pin?: string;
  readonly use?: boolean;
  readonly replace?: boolean;
}

/** With the default one, which comes first. */
export function listContexts(options: ConnectionOptions, environment: Environment): ContextView[] {
  const { contexts } = readContexts(environment);
  const inUse = contextInUse(options, environment);
  return [{ name: defaultContext }, ...contexts].map((context) =>
    viewOf(context, inUse, environment),
  );
}

/** Throws CLI_NO_CONTEXT. */
export function useContext(name: string, environment: Environment): void {
  const { contexts } = readContexts(environment);
  if (name !== defaultContext) findContext({ current: undefined, contexts }, name);
  writeContexts(environment, { current: name === defaultContext ? undefined : name, contexts });
}

/** Nothing is asked of the server but its certificate, and that only for a pin. */
export async function addContext(
  name: string,
  options: NewContext,
  environment: Environment,
): Promise<Context> {
  if (!contextNameForm.test(name) || name === defaultContext) {
    const form = 'up to 63 letters, digits, ".", "_" and "-", and not "default"';
    throw new AdminError('CLI_USAGE', `the name of a context is ${form}: ${name}`);
  }
  const { contexts, current } = readContexts(environment);
  if (!options.replace && contexts.some((context) => context.name === name)) {
    throw new AdminError('CLI_USAGE', `there is a context ${name}; --replace changes it`);
  }
  const context: Context = {
    name,
    ...(await placeOf(options)),
    ...(options.tokenFile === undefined ? {} : { tokenFile: readable(options.tokenFile) }),
  };
  const others = contexts.filter((each) => each.name !== name);
  writeContexts(environment, {
    current: options.use ? name : current,
    contexts: [...others, context],
  });
  return context;
}

async function placeOf({ home, server, caFile, pin }: NewContext): Promise<Omit<Context, 'name'>> {
  if ((home === undefined) === (server === undefined)) {
    throw new AdminError('CLI_USAGE', 'name the server: either --server host:port or --home DIR');
  }
  if (home !== undefined) {
    if (caFile !== undefined || pin !== undefined) {
      throw new AdminError(
        'CLI_USAGE',
        '--home tells the authority; leave out --ca-file and --pin',
      );
    }
    return { home: readable(home) };
  }
  const { host, port } = parseServer(server ?? '');
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if ((caFile === undefined) === (pin === undefined)) {
    const detail = 'say how the server is to be known: either --ca-file FILE or --pin sha256//...';
    throw new AdminError('CLI_USAGE', detail);
  }
  if (pin === undefined) return { server: address, authority: authorityIn(caFile ?? '') };
  if (!pinForm.test(pin)) throw new AdminError('CLI_USAGE', `--pin ${pin} is not sha256//...`);
  return { server: address, authority: await fetchAuthority({ host, port }, pin) };
}

function authorityIn(file: string): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', `${file} holds no certificate: ${reason}`);
  }
  return certificate.toString();
}

/** Absolute: the context is used from other directories. */
function readable(path: string): string {
  const absolute = isAbsolute(path) ? path : resolve(path);
  if (existsSync(absolute)) return absolute;
  throw new AdminError('CLI_FILE_UNREADABLE', `${absolute}: there is no such file or directory`);
}

/** Throws CLI_NO_CONTEXT. A session at the server goes on until its end; "auth logout" ends it. */
export function removeContext(name: string, environment: Environment): void {
  const all: Contexts = readContexts(environment);
  if (name === defaultContext) throw new AdminError('CLI_USAGE', 'the default context stays');
  findContext(all, name);
  forgetLogin(environment, name);
  writeContexts(environment, {
    current: all.current === name ? undefined : all.current,
    contexts: all.contexts.filter((context) => context.name !== name),
  });
}

/** Throws CLI_NO_CONTEXT. */
export function showContext(
  name: string | undefined,
  options: ConnectionOptions,
  environment: Environment,
): ContextDetail {
  const inUse = contextInUse(options, environment);
  const wanted = name ?? inUse;
  const context: Context =
    wanted === defaultContext
      ? { name: defaultContext }
      : findContext(readContexts(environment), wanted);
  const { authority, tokenFile } = context;
  return {
    ...viewOf(context, inUse, environment),
    authoritySha256: authority && new X509Certificate(authority).fingerprint256,
    tokenFile,
    file: wanted === defaultContext ? undefined : contextsFile(environment),
  };
}

function viewOf(context: Context, inUse: string, environment: Environment): ContextView {
  const { name } = context;
  const current = name === inUse;
  try {
    const { host, port, target } = serverOf({ context: name }, environment);
    const account = readLogin(environment, name, target)?.account;
    return { name, current, server: context.home ?? context.server ?? `${host}:${port}`, account };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    // A server that does not run, or an exposed login: the list is what one looks at then.
    const server = context.home ?? context.server ?? 'not known here';
    return { name, current, server, account: undefined };
  }
}
