import { Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { secondFactorForm } from '../../web/components/second-factor.ts';
import { bareLayout, themeOf } from '../../web/layout.ts';
import { htmlAnswer, refusedPage } from '../../web/page.ts';
import { localPath } from '../../web/path.ts';
import { Answer } from '../answer.ts';
import type { Backend } from '../backend.ts';
import type { RequestHead } from '../http-edge.ts';
import { admit } from '../login/oidc/admission.ts';
import { accountFor } from '../login/oidc/enter.ts';
import type { OpenIdProvider } from '../login/oidc/provider.ts';
import { tellRefusal } from '../login/refused.ts';
import type { Problem } from '../problem.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { enterProven, sessionCookieHeader } from './login.ts';

const callbackPath = '/api/v1/login/oidc/callback';

/** Throws OIDC_OFF. */
function providerOf(backend: Backend): OpenIdProvider {
  const { provider } = backend.login;
  if (provider === undefined) throw new AdminError('OIDC_OFF');
  return provider;
}

function goTo(location: string, headers: Readonly<Record<string, string>>): Answer {
  return new Answer(303, { ...headers, location, 'cache-control': 'no-store' }, '');
}

function isForPeople({ header }: Pick<RequestHead, 'header'>): boolean {
  return header('accept')?.includes('text/html') === true;
}

/** The provider has proven one factor, and the account has a second. */
function askForCode(
  challenged: { readonly challenge: string; readonly expiresAtMs: number },
  next: string,
  head: Pick<RequestHead, 'header'>,
): Answer {
  if (!isForPeople(head)) {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    return new Answer(200, headers, JSON.stringify(challenged));
  }
  const view = { title: 'Log in', body: secondFactorForm(next, challenged.challenge) };
  const markup = bareLayout({ view, theme: themeOf(head.header('cookie')) });
  return htmlAnswer(200, markup, { 'cache-control': 'no-store' });
}

/** Browsers come here, so people read it; a program gets the problem document. */
function refuse(problem: Problem, head: RequestHead): Answer {
  // A page of 401 would send people to the login again, without a word.
  if (isForPeople(head)) {
    return refusedPage({ ...problem, status: problem.status === 401 ? 403 : problem.status }, head);
  }
  const headers = { 'content-type': 'application/problem+json' };
  return new Answer(problem.status, headers, JSON.stringify(problem));
}

/** Proves, admits and finds the account; every refusal is told to the audit log. */
async function enter(
  backend: Backend,
  query: Readonly<Record<string, unknown>>,
  cookie: string | undefined,
  peerAddress: string,
): Promise<{ accountId: string; multiFactor: boolean; next: string }> {
  const provider = providerOf(backend);
  let subject = '';
  try {
    const pending = backend.login.pendings.open(cookie, backend.nowMs());
    if (pending === undefined) throw new AdminError('OIDC_NO_LOGIN');
    const answer = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const claims = await provider.finish(answer.toString(), pending);
    subject = claims.sub;
    const admission = admit(claims, provider.settings);
    const accountId = await accountFor(backend, admission, provider.settings);
    return { accountId, multiFactor: admission.multiFactor, next: pending.next };
  } catch (error) {
    await tellRefusal(backend, { method: 'oidc', subject, peerAddress }, error);
    throw error;
  }
}

export const oidcLoginRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/login/oidc',
    redirects: true,
    summary: 'Begin a login at the OpenID provider: the browser is sent there',
    access: 'public',
    parameters: nothing,
    query: object({ next: Type.Optional(Type.String({ maxLength: 2000 })) }),
    body: undefined,
    refuse,
    handle: async ({ backend, query, host }) => {
      const provider = providerOf(backend);
      const redirectUri =
        provider.settings.redirectUrl || `https://${host ?? 'localhost'}${callbackPath}`;
      if (!URL.canParse(redirectUri)) throw new AdminError('API_BAD_REQUEST', 'the Host header');
      const { url, pending } = await provider.begin(redirectUri, localPath(query.next));
      return goTo(url, { 'set-cookie': backend.login.pendings.cookie(pending) });
    },
  }),
  route({
    method: 'GET',
    path: callbackPath,
    redirects: true,
    summary: 'Finish a login: the OpenID provider sends the browser here',
    access: 'public',
    parameters: nothing,
    /** Providers add parameters of their own. */
    query: Type.Object({}, { additionalProperties: true }),
    body: undefined,
    refuse,
    handle: async ({ backend, query, ...asked }) => {
      const cookie = asked.header('cookie');
      const { next, ...found } = await enter(backend, { ...query }, cookie, asked.peerAddress);
      const answer = await enterProven(backend, { ...found, method: 'oidc' }, asked);
      if ('challenge' in answer) return askForCode(answer, next, asked);
      return goTo(next, sessionCookieHeader(answer.session, backend.nowMs()));
    },
  }),
];
