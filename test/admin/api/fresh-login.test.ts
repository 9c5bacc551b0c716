/** What is lost when this fails: who steals a session takes the account over, by a factor of their own. */
import t from 'tap';
import type { SessionView } from '../../../actors/accounts/messages.ts';
import { freshAccount } from '../../../admin/api/fresh-login.ts';
import { RateGuard } from '../../../admin/api/http/rate-guard.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { pageTable } from '../../../admin/web/page-table.ts';
import { fakeBackend } from './fake-backend.ts';

const minute = 60_000;

/** Grace is logged in since so long, with an account that has a password or not. */
function setUp({ loginAgeMs, hasPassword }: { loginAgeMs: number; hasPassword: boolean }) {
  const backend = fakeBackend();
  const nowMs = backend.nowMs();
  const session = (id: string, createdAtMs: number): SessionView => ({
    id,
    accountId: 'grace',
    method: 'ssh-key',
    createdAtMs,
    lastUsedMs: nowMs,
    expiresAtMs: nowMs + minute,
    endedAtMs: undefined,
    endedBecause: '',
    peerAddress: '192.0.2.1',
    userAgent: '',
  });
  const accounts = {
    ...backend.views.accounts,
    find: () => ({ hasPassword }) as never,
    sessions: () => [session('newer', nowMs), session('session', nowMs - loginAgeMs)],
  };
  const own = { ...backend, views: { ...backend.views, accounts } };
  const grace = {
    name: 'grace',
    role: 'viewer',
    accountId: 'grace',
    sessionId: 'session',
  } as const;
  const access = {
    find: (tokenSha256: string) => ({ ...grace, tokenSha256 }),
    nowMs: () => nowMs,
    used: () => 0,
  };
  let monotonicMs = 0;
  const patient = new RateGuard({
    monotonicMs: () => {
      monotonicMs += minute;
      return monotonicMs;
    },
  });
  const router = new Router(routeTable, own, access, undefined, pageTable, patient);
  const send = async (method: string, path: string, given: object) =>
    await router.handle({
      method,
      path,
      query: '',
      header: (name) => (name === 'authorization' ? 'Bearer vgos_grace' : undefined),
      body: new TextEncoder().encode(JSON.stringify(given)),
      peerAddress: '127.0.0.1',
    });
  const begin = async (given: object) => {
    const { status, body } = await send('POST', '/api/v1/account/totp', given);
    const { code } = JSON.parse(String(body)) as { code?: string };
    return code ?? status;
  };
  const passwords = () =>
    backend.asked.map(({ payload }) => (payload as { current?: string }).current);
  const page = async () => String((await send('GET', '/account', {})).body);
  return { begin, page, passwords, own };
}

t.test('without a password, a login of the last ten minutes is the proof', async (t) => {
  const fresh = setUp({ loginAgeMs: 9 * minute, hasPassword: false });
  t.equal(await fresh.begin({}), 200);
  t.equal(await fresh.begin({ current: 'anything' }), 200);
  t.same(fresh.passwords(), [undefined, undefined], 'there is none to be checked');
  const old = setUp({ loginAgeMs: 11 * minute, hasPassword: false });
  t.equal(await old.begin({}), 'LOGIN_NOT_FRESH', 'a newer session of the account is not this one');
  t.equal(await old.begin({ current: 'anything' }), 'LOGIN_NOT_FRESH');
  t.same(old.passwords(), []);
});

t.test('with a password, nothing but the password is', async (t) => {
  const { begin, passwords } = setUp({ loginAgeMs: 11 * minute, hasPassword: true });
  await begin({ current: 'otter balcony' });
  await begin({});
  t.same(passwords(), ['otter balcony', undefined], 'the actor refuses what is missing');
});

t.test('the page asks for the password of who has one only', async (t) => {
  const without = await setUp({ loginAgeMs: 0, hasPassword: false }).page();
  t.match(without, /POST \/api\/v1\/account\/totp"/);
  t.match(without, 'login of the last ten minutes');
  t.notMatch(without, 'type="password"');
  const known = await setUp({ loginAgeMs: 0, hasPassword: true }).page();
  t.match(known, /id="totp-current"/);
});

t.test('a token is no login, however young', async (t) => {
  const { own } = setUp({ loginAgeMs: 0, hasPassword: false });
  const token = { by: 'token:ci', accountId: 'grace', sessionId: undefined };
  t.throws(() => freshAccount(own, token as never), { code: 'API_FORBIDDEN' });
});
