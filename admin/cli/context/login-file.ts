import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AdminError } from '../../errors.ts';
import { configDirectory, type Environment, writePrivate } from './store.ts';

/** What a login left behind: a session of one account at one server. */
export interface KeptLogin {
  readonly account: string;
  readonly token: string;
  /** Undefined: until it is ended. */
  readonly expiresAtMs?: number;
  /** The server that gave it; the token goes to no other one. */
  readonly target: string;
}

function loginFile(environment: Environment, context: string): string | undefined {
  const directory = configDirectory(environment);
  return directory === undefined ? undefined : join(directory, 'logins', `${context}.json`);
}

/**
 * The login of the context at this target; undefined when there is none. Throws CLI_TOKEN_EXPOSED when
 * others may read it, and CLI_CONTEXTS_INVALID when it is not what a login wrote.
 */
export function readLogin(
  environment: Environment,
  context: string,
  target: string,
): KeptLogin | undefined {
  const file = loginFile(environment, context);
  if (file === undefined) return undefined;
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw new AdminError('CLI_TOKEN_EXPOSED', file);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof AdminError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AdminError('CLI_CONTEXTS_INVALID', message);
  }
  const login = parseLogin(text);
  if (login === undefined) throw new AdminError('CLI_CONTEXTS_INVALID', `${file}: no login in it`);
  return login.target === target ? login : undefined;
}

function parseLogin(text: string): KeptLogin | undefined {
  let value: Partial<Record<keyof KeptLogin, unknown>>;
  try {
    value = (JSON.parse(text) ?? {}) as typeof value;
  } catch {
    return undefined;
  }
  const { account, token, target, expiresAtMs } = value;
  const texts = [account, token, target].every((each) => typeof each === 'string' && each !== '');
  const expires = expiresAtMs === undefined || typeof expiresAtMs === 'number';
  return texts && expires && /^[\w.-]+$/.test(String(token)) ? (value as KeptLogin) : undefined;
}

/** Throws CLI_FILE_UNWRITABLE. */
export function writeLogin(environment: Environment, context: string, login: KeptLogin): void {
  const file = loginFile(environment, context);
  if (file === undefined) throw new AdminError('CLI_FILE_UNWRITABLE', 'HOME is not set');
  writePrivate(file, `${JSON.stringify(login, null, 2)}\n`);
}

/** Does nothing when there is none. */
export function forgetLogin(environment: Environment, context: string): void {
  const file = loginFile(environment, context);
  if (file !== undefined) rmSync(file, { force: true });
}
