import { readFileSync } from 'node:fs';
import { AdminError } from '../../errors.ts';
import { askLine, mayAsk } from '../ask.ts';
import { Client } from '../client.ts';
import { type ServerPlace, serverOf } from '../connection.ts';
import { forgetLogin, type KeptLogin, readLogin, writeLogin } from '../context/login-file.ts';
import { readHidden, readStandardInput } from '../hidden-input.ts';
import type { Session } from '../session.ts';
import { byBrowser } from './by-browser.ts';
import { checkChallenge, signWithAgent, signWithKeyFile } from './sign-challenge.ts';

export interface LoginFlags {
  readonly name?: string;
  /** true: the agent's keys. */
  readonly sshKey?: string | true;
  /** At the OpenID provider of the server. */
  readonly oidc?: boolean;
  /** false: do not open one. */
  readonly browser?: boolean;
  readonly passwordFile?: string;
  readonly code?: string;
}

interface OpenedSession {
  readonly name?: string;
  readonly token: string;
  readonly expiresAtMs: number;
  readonly mustChangePassword?: boolean;
}

interface FactorWanted {
  readonly challenge: string;
}

interface IssuedChallenge {
  readonly challenge: string;
  readonly seal: string;
}

export interface LoggedIn {
  readonly account: string;
  readonly context: string;
  readonly server: string;
  readonly expiresAtMs: number;
  readonly mustChangePassword: boolean;
}

const pathOfSession = '/api/v1/session';

/** Opens a session, keeps its token in a file of mode 0600 and ends the one that was there before. */
export async function logIn(it: Session, flags: LoginFlags): Promise<LoggedIn> {
  const place = serverOf(it.options, process.env);
  const before = keptLogin(place);
  const client = new Client({ ...place, token: undefined });
  const { answer, known } = await firstProof(it, client, place, flags, before?.account);
  const opened = 'challenge' in answer ? await bySecondFactor(it, client, answer, flags) : answer;
  const account = opened.name ?? known;
  const { token, expiresAtMs, mustChangePassword = false } = opened;
  writeLogin(process.env, place.context, { account, token, expiresAtMs, target: place.target });
  if (before !== undefined) await endQuietly(place, before);
  const { context, target: server } = place;
  return { account, context, server, expiresAtMs, mustChangePassword };
}

/** `known`: whose name was given; the provider says itself who somebody is. */
async function firstProof(
  it: Session,
  client: Client,
  place: ServerPlace,
  flags: LoginFlags,
  last: string | undefined,
): Promise<{ answer: OpenedSession | FactorWanted; known: string }> {
  const { name, sshKey, passwordFile, oidc = false, browser = true } = flags;
  if (oidc) {
    if ((name ?? sshKey ?? passwordFile) !== undefined) {
      throw new AdminError('CLI_USAGE', 'with --oidc the provider says who you are, and how');
    }
    return { answer: await byBrowser(it, client, browser), known: '' };
  }
  const known = await accountName(it, name ?? last);
  if (sshKey === undefined) return { answer: await byPassword(it, client, known, flags), known };
  return { answer: await byKey(client, place, known, sshKey), known };
}

/** A file that is broken or exposed is not in the way of the login that replaces it. */
function keptLogin(place: ServerPlace): KeptLogin | undefined {
  try {
    return readLogin(process.env, place.context, place.target);
  } catch {
    return undefined;
  }
}

async function accountName(it: Session, known: string | undefined): Promise<string> {
  if (known !== undefined) return known;
  if (!mayAsk(it)) throw new AdminError('CLI_USAGE', 'say who you are: --name NAME');
  const name = await askLine('Name: ');
  if (name === '') throw new AdminError('CLI_USAGE', 'no name was given');
  return name;
}

async function byPassword(
  it: Session,
  client: Client,
  name: string,
  { passwordFile }: LoginFlags,
): Promise<OpenedSession | FactorWanted> {
  const password = await readPassword(it, 'Password: ', passwordFile);
  return await client.post(pathOfSession, { name, password, as: 'token' });
}

/** Whatever was proven first: the account has a second factor. */
async function bySecondFactor(
  it: Session,
  client: Client,
  { challenge }: FactorWanted,
  { code }: LoginFlags,
): Promise<OpenedSession> {
  if (code === undefined && !mayAsk(it)) {
    throw new AdminError('CLI_USAGE', 'this account has a second factor: --code CODE');
  }
  const factor = code ?? (await askLine('Code of your authenticator app: '));
  const second = { challenge, code: factor, as: 'token' };
  return await client.post<OpenedSession>(`${pathOfSession}/second-factor`, second);
}

/** The first line of the file, "-" is the standard input; without a file the person is asked. */
export async function readPassword(
  it: Session,
  question: string,
  file: string | undefined,
): Promise<string> {
  if (file === undefined) {
    if (mayAsk(it)) return await readHidden(question);
    throw new AdminError('CLI_USAGE', 'nobody can be asked for the password: --password-file FILE');
  }
  return firstLine(file === '-' ? (await readStandardInput()).toString() : readText(file));
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/\r$/, '') ?? '';
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', reason);
  }
}

async function byKey(
  client: Client,
  { caPem }: ServerPlace,
  account: string,
  sshKey: string | true,
): Promise<OpenedSession | FactorWanted> {
  const path = '/api/v1/login/challenge';
  const { challenge, seal } = await client.post<IssuedChallenge>(path, { account });
  checkChallenge(challenge, account, caPem);
  const sshSignatures =
    sshKey === true
      ? await signWithAgent(challenge, process.env.SSH_AUTH_SOCK)
      : [await signWithKeyFile(challenge, sshKey)];
  const body = { account, challenge, seal, sshSignatures, as: 'token' };
  return await client.post('/api/v1/login/key', body);
}

async function endQuietly(place: ServerPlace, { token }: KeptLogin): Promise<void> {
  await new Client({ ...place, token }).delete(pathOfSession).catch(() => undefined);
}

/** Ends the session at the server, then forgets it here. With `onlyHere` the server is not asked. */
export async function logOut(
  it: Session,
  onlyHere: boolean,
): Promise<{ account: string | undefined; ended: boolean }> {
  const place = serverOf(it.options, process.env);
  const login = readLogin(process.env, place.context, place.target);
  if (login === undefined) return { account: undefined, ended: false };
  let ended = false;
  if (!onlyHere) {
    const client = new Client({ ...place, token: login.token });
    ended = await client.delete(pathOfSession).then(
      () => true,
      (error: unknown) => {
        // A session that has ended already needs no end.
        if ((error as { problem?: { status?: number } }).problem?.status === 401) return true;
        throw error;
      },
    );
  }
  forgetLogin(process.env, place.context);
  return { account: login.account, ended };
}

/** After a change of the password every session has ended; the answer has a new one. */
export function keepNewSession(it: Session, { token, expiresAtMs }: OpenedSession): boolean {
  const place = serverOf(it.options, process.env);
  const login = readLogin(process.env, place.context, place.target);
  if (login === undefined) return false;
  writeLogin(process.env, place.context, { ...login, token, expiresAtMs });
  return true;
}
