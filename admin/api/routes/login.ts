import { Type } from 'typebox';
import {
  type AccountMessages,
  type AccountView,
  accountsAddress,
  type LoginAnswer,
  type LoginOrigin,
  loginAddress,
  type OpenedSession,
} from '../../../actors/accounts/messages.ts';
import { Answer } from '../answer.ts';
import type { Backend } from '../backend.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { sessionCookie } from '../session-cookie.ts';
import { loginShape, sessionShape } from '../shapes/session.ts';

/** A lane may have others before it. */
const loginDeadlineMs = 25_000;
const askDeadlineMs = 10_000;

const nameText = Type.String({ minLength: 1, maxLength: 63 });
const passwordText = Type.String({ minLength: 1, maxLength: 1000 });
const carrier = Type.Optional(
  Type.Enum(['cookie', 'token'], {
    description: 'how the session is carried: a cookie for browsers, a bearer token for programs',
    default: 'cookie',
  }),
);

interface Asked {
  readonly peerAddress: string;
  header(name: string): string | undefined;
}

/** What the account's owner sees of a login later. */
export function loginOrigin({ peerAddress, header }: Asked): LoginOrigin {
  return { peerAddress, userAgent: header('user-agent') ?? '' };
}

/** Checks name and password; for the REST route and for the login page. Throws ACCOUNT_*. */
export async function logIn(
  backend: Backend,
  { name, password }: { name: string; password: string },
  asked: Asked,
): Promise<LoginAnswer> {
  const payload = { name, password, origin: loginOrigin(asked) };
  return await backend.ask(loginAddress(asked.peerAddress), 'login', payload, loginDeadlineMs);
}

/** Somebody was proven by a key or a provider: a session, or the question for a code. Throws ACCOUNT_*. */
export async function enterProven(
  backend: Backend,
  proven: Omit<AccountMessages['openSession']['payload'], 'origin'>,
  asked: Asked,
): Promise<LoginAnswer> {
  const payload = { ...proven, origin: loginOrigin(asked) };
  return await backend.ask(accountsAddress(), 'openSession', payload, askDeadlineMs);
}

/** The header that gives a browser its session. */
export function sessionCookieHeader(
  { token, expiresAtMs }: OpenedSession,
  nowMs: number,
): { 'set-cookie': string } {
  return { 'set-cookie': sessionCookie(token, expiresAtMs - nowMs) };
}

/** The token goes into the cookie, where no script of a page can read it, or into the body. */
export function sessionAnswer(
  backend: Backend,
  { session, account }: { session: OpenedSession; account?: AccountView },
  as: 'cookie' | 'token' = 'cookie',
): Answer {
  const { sessionId, token, expiresAtMs } = session;
  const body = {
    sessionId,
    expiresAtMs,
    ...(account === undefined
      ? {}
      : { name: account.name, mustChangePassword: account.mustChangePassword }),
    ...(as === 'token' ? { token } : {}),
  };
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(as === 'token' ? {} : sessionCookieHeader(session, backend.nowMs())),
  };
  return new Answer(200, headers, JSON.stringify(body));
}

/** The session, or the challenge as it is. */
export function loginAnswer(
  backend: Backend,
  answer: LoginAnswer,
  as: 'cookie' | 'token' | undefined,
): Answer | LoginAnswer {
  return 'challenge' in answer ? answer : sessionAnswer(backend, answer, as);
}

export const loginRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/session',
    summary:
      'Log in by name and password; with a second factor the answer is a challenge for a code',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: object({ name: nameText, password: passwordText, as: carrier }),
    answer: loginShape,
    handle: async ({ backend, body, ...asked }) => {
      return loginAnswer(backend, await logIn(backend, body, asked), body.as);
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/session/second-factor',
    summary: 'Finish a login with a code of the authenticator app, or a recovery code',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: object({
      challenge: Type.String({ minLength: 1, maxLength: 100 }),
      code: Type.String({ minLength: 1, maxLength: 100 }),
      as: carrier,
    }),
    answer: sessionShape,
    handle: async ({ backend, body, ...asked }) => {
      const { challenge, code } = body;
      const payload = { challenge, code, origin: loginOrigin(asked) };
      const opened = await backend.ask(accountsAddress(), 'secondFactor', payload, askDeadlineMs);
      return sessionAnswer(backend, opened, body.as);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/setup',
    summary: 'Whether the first administrator is still to be made',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend }) => ({ needed: !backend.views.accounts.any() }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/setup',
    summary: 'Make the first administrator, with the code that the console of the server shows',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: object({
      code: Type.String({ minLength: 1, maxLength: 100 }),
      name: nameText,
      displayName: Type.Optional(Type.String({ maxLength: 200 })),
      password: passwordText,
      as: carrier,
    }),
    answer: sessionShape,
    handle: async ({ backend, body, ...asked }) => {
      const { code, name, password, displayName = '' } = body;
      const payload = { code, name, password, displayName, origin: loginOrigin(asked) };
      const opened = await backend.ask(accountsAddress(), 'setUp', payload, askDeadlineMs);
      return sessionAnswer(backend, opened, body.as);
    },
  }),
];
