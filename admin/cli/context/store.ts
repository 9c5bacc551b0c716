import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AdminError } from '../../errors.ts';
import { replaceFile } from '../replace-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One server that vigocli knows by a name of the person's own. */
export interface Context {
  readonly name: string;
  /** "host:port"; absent for a local server. */
  readonly server?: string;
  /** Home of a local server; absent for a remote one. */
  readonly home?: string;
  /** PEM of the one authority that is believed. */
  readonly authority?: string;
  /** With an API token, for programs; a login wins over it. */
  readonly tokenFile?: string;
}

/** What the configuration file holds. */
export interface Contexts {
  /** Undefined: the default context. */
  readonly current: string | undefined;
  /** By name, without the default one. */
  readonly contexts: readonly Context[];
}

/** What options, VIGO_* and /srv/vigo say; it is always there and stands in no file. */
export const defaultContext = 'default';
export const contextNameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const contextsMax = 200;
const fileCharactersMax = 4 * 1024 * 1024;
const fields = ['name', 'server', 'home', 'authority', 'tokenFile'] as const;

/** $XDG_CONFIG_HOME/vigo or ~/.config/vigo; undefined when the environment names neither. */
export function configDirectory({ XDG_CONFIG_HOME, HOME }: Environment): string | undefined {
  if (XDG_CONFIG_HOME?.startsWith('/')) return join(XDG_CONFIG_HOME, 'vigo');
  return HOME ? join(HOME, '.config', 'vigo') : undefined;
}

export function contextsFile(environment: Environment): string {
  const directory = configDirectory(environment);
  if (directory !== undefined) return join(directory, 'contexts.json');
  throw new AdminError('CLI_USAGE', 'contexts are kept in ~/.config/vigo, and HOME is not set');
}

/** Throws CLI_CONTEXTS_INVALID with the place of the file; no file means no contexts. */
export function readContexts(environment: Environment): Contexts {
  const none = { current: undefined, contexts: [] };
  if (configDirectory(environment) === undefined) return none;
  const file = contextsFile(environment);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return none;
    throw new AdminError('CLI_CONTEXTS_INVALID', message);
  }
  return parseContexts(text, file);
}

/** `file` is named in errors. */
export function parseContexts(text: string, file: string): Contexts {
  const refuse = (reason: string) => new AdminError('CLI_CONTEXTS_INVALID', `${file}: ${reason}`);
  if (text.length > fileCharactersMax) throw refuse('it is too large');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (!isRecord(value) || !Array.isArray(value.contexts)) throw refuse('it has no contexts');
  const { current } = value;
  if (current !== undefined && typeof current !== 'string') throw refuse('current is not a name');
  if (value.contexts.length > contextsMax) throw refuse(`more than ${contextsMax} contexts`);
  const contexts = value.contexts.map((each: unknown, at) => {
    const context = contextOf(each);
    if (context === undefined) throw refuse(`contexts[${at}] is not a context`);
    return context;
  });
  const names = contexts.map(({ name }) => name);
  if (new Set(names).size < names.length) throw refuse('a name stands twice');
  return { current, contexts };
}

function contextOf(value: unknown): Context | undefined {
  if (!isRecord(value) || typeof value.name !== 'string') return undefined;
  if (!contextNameForm.test(value.name) || value.name === defaultContext) return undefined;
  const known = fields.flatMap((field) => (value[field] === undefined ? [] : [field]));
  if (known.some((field) => typeof value[field] !== 'string')) return undefined;
  const where = known.includes('server') !== known.includes('home');
  if (!where || known.length !== Object.keys(value).length) return undefined;
  return value as unknown as Context;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** In one step, readable by its owner alone. Throws CLI_USAGE beyond the limit. */
export function writeContexts(environment: Environment, { current, contexts }: Contexts): void {
  if (contexts.length > contextsMax) {
    throw new AdminError('CLI_USAGE', `more than ${contextsMax} contexts`);
  }
  const value = { ...(current === undefined ? {} : { current }), contexts };
  writePrivate(contextsFile(environment), `${JSON.stringify(value, null, 2)}\n`);
}

/** Throws CLI_NO_CONTEXT. */
export function findContext({ contexts }: Contexts, name: string): Context {
  const found = contexts.find((context) => context.name === name);
  if (found !== undefined) return found;
  const known = [defaultContext, ...contexts.map((context) => context.name)].join(', ');
  throw new AdminError('CLI_NO_CONTEXT', `${name}; there are: ${known}`);
}

/** A file that only its owner reads, in a directory that only they open. */
export function writePrivate(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNWRITABLE', reason);
  }
  replaceFile(path, text, 0o600);
}
