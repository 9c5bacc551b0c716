import { Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { comparedCode, pkceForm } from '../../login/program-login.ts';
import { secondFactorForm } from '../../web/components/second-factor.ts';
import { bareLayout, themeOf } from '../../web/layout.ts';
import { htmlAnswer, type PageView, refusedPage } from '../../web/page.ts';
import { programLoginView } from '../../web/pages/program-login.ts';
import { localPath } from '../../web/path.ts';
import { Answer } from '../answer.ts';
import type { Backend } from '../backend.ts';
import type { RequestHead } from '../http-edge.ts';
import { redirectAddress } from '../login/oidc/address.ts';
import { admit } from '../login/oidc/admission.ts';
import { accountFor } from '../login/oidc/enter.ts';
import type { ProvenPerson, WaitingProgram } from '../login/oidc/handover.ts';
import type { PendingLogin } from '../login/oidc/pending-login.ts';
import type { OpenIdProvider } from '../login/oidc/provider.ts';
import { tellRefusal } from '../login/refused.ts';
import type { Problem } from '../problem.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { loginShape } from '../shapes/session.ts';
import { enterProven, loginAnswer, sessionCookieHeader } from './login.ts';

const code = Type.String({ minLength: 1, maxLength: 100 });
const pkceText = Type.String({ pattern: pkceForm });
const portMin = 1024;
const portMax = 65_535;

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

/** What a browser shows now; a program that walks the same way gets the facts. */
function shown(facts: object, view: PageView, head: Pick<RequestHead, 'header'>): Answer {
  if (!isForPeople(head)) {
    return new Answer(200, { 'content-type': 'application/json' }, JSON.stringify(facts));
  }
  return htmlAnswer(200, bareLayout({ view, theme: themeOf(head.header('cookie')) }));
}

/** A code for the program that waits; the person decides whether it gets it. */
function handOver(
  backend: Backend,
  person: ProvenPerson,
  program: WaitingProgram,
  head: Pick<RequestHead, 'header'>,
): Answer {
  const code = providerOf(backend).handovers.issue(person, program);
  const account = backend.views.accounts.find(person.accountId)?.name ?? person.accountId;
  const { challenge, port } = program;
  // The path is known only to who saw the address that the program printed.
  const address = `http://127.0.0.1:${port}/${challenge}?code=${encodeURIComponent(code)}`;
  const facts = { account, compared: comparedCode(challenge), code, address };
  return shown(facts, programLoginView(facts), head);
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
): Promise<{ person: ProvenPerson; pending: PendingLogin }> {
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
    return { person: { accountId, multiFactor: admission.multiFactor }, pending };
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
    query: object({
      next: Type.Optional(Type.String({ maxLength: 2000 })),
      challenge: Type.Optional(
        Type.String({
          pattern: pkceForm,
          description: 'the login is for a program: S256 (RFC 7636) of what only the program knows',
        }),
      ),
      port: Type.Optional(
        Type.Integer({
          minimum: portMin,
          maximum: portMax,
          description: 'where that program listens on 127.0.0.1',
        }),
      ),
    }),
    body: undefined,
    refuse,
    handle: async ({ backend, query, host }) => {
      const provider = providerOf(backend);
      const { challenge, port } = query;
      if ((challenge === undefined) !== (port === undefined)) {
        throw new AdminError('API_BAD_REQUEST', 'challenge and port belong together');
      }
      const program = challenge === undefined ? {} : { program: { challenge, port: port ?? 0 } };
      const redirectUri = redirectAddress(provider, host);
      const { url, pending } = await provider.begin(redirectUri, localPath(query.next));
      const cookie = backend.login.pendings.cookie({ ...pending, ...program });
      return goTo(url, { 'set-cookie': cookie });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/login/oidc/callback',
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
      const found = await enter(backend, { ...query }, cookie, asked.peerAddress);
      const { person, pending } = found;
      if (pending.program !== undefined) return handOver(backend, person, pending.program, asked);
      const answer = await enterProven(backend, { ...person, method: 'oidc' }, asked);
      if ('challenge' in answer) {
        const form = secondFactorForm(pending.next, answer.challenge);
        return shown(answer, { title: 'Log in', body: form }, asked);
      }
      return goTo(pending.next, sessionCookieHeader(answer.session, backend.nowMs()));
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/login/oidc/handover',
    summary: 'Finish a login of a program with the code that the browser got for it',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: object({ code, verifier: pkceText }),
    answer: loginShape,
    handle: async ({ backend, body, ...asked }) => {
      let person: ProvenPerson;
      try {
        person = providerOf(backend).handovers.take(body.code, body.verifier);
      } catch (error) {
        const { peerAddress } = asked;
        await tellRefusal(backend, { method: 'oidc', subject: '', peerAddress }, error);
        throw error;
      }
      const answer = await enterProven(backend, { ...person, method: 'oidc' }, asked);
      return loginAnswer(backend, answer, 'token');
    },
  }),
];
