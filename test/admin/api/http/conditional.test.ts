import t from 'tap';
import { openApi } from '../support/open-api.ts';

const api = await openApi(t);
const admin = api.allow('vgot_admin', 'admin');
const json = { ...admin, 'content-type': 'application/json' };

t.test('what did not change is not sent again', async (t) => {
  const first = await api.call('GET', '/api/v1/tokens', admin);
  t.equal(first.status, 200);
  const etag = first.headers.etag ?? '';
  t.match(etag, /^"[\w-]{22}"$/);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await api.call('GET', '/api/v1/tokens', { ...admin, 'if-none-match': known });
    t.same([again.status, again.text, again.headers.etag], [304, '', etag], known);
  }
  const other = await api.call('GET', '/api/v1/tokens', { ...admin, 'if-none-match': '"other"' });
  t.equal(other.status, 200);
  const head = await api.call('HEAD', '/api/v1/tokens', admin);
  t.same([head.status, head.text, head.headers.etag], [200, '', etag], 'HEAD is GET without body');
});

t.test('a write that was decided on something older changes nothing', async (t) => {
  const path = '/api/v1/config/freeze';
  const body = JSON.stringify({ reason: 'night' });
  const stale = await api.call('POST', path, { ...json, 'if-match': '"older"' }, body);
  t.equal(stale.status, 412);
  const problem = JSON.parse(stale.text) as {
    code: string;
    details: { path: string; etag: string };
  };
  t.equal(problem.code, 'API_CHANGED_MEANWHILE');
  const now = await api.call('GET', problem.details.path, admin);
  t.equal(now.headers.etag, problem.details.etag, 'the problem names what is there now');
  const etag = now.headers.etag ?? '';
  const fresh = await api.call('POST', path, { ...json, 'if-match': etag }, body);
  t.equal(fresh.status, 200);
  const nowhere = await api.call('POST', '/api/v1/tokens', { ...json, 'if-match': etag }, '{}');
  t.match(JSON.parse(nowhere.text), { status: 400 });
});

t.test('fields= leaves what was asked for, and names what there is', async (t) => {
  const some = await api.call('GET', '/api/v1/auth/whoami?fields=name,role', admin);
  t.same(JSON.parse(some.text), { name: 'vgot_admin', role: 'admin' });
  const rows = await api.call('GET', '/api/v1/envoys?fields=hostname', admin);
  const page = JSON.parse(rows.text) as { items: unknown[] };
  t.same(
    page.items,
    page.items.map(() => ({ hostname: 'web-1' })),
    'of each row of a page',
  );
  const wrong = await api.call('GET', '/api/v1/auth/whoami?fields=name,pasword', admin);
  t.match(JSON.parse(wrong.text), { code: 'API_BAD_REQUEST', detail: /pasword.*there are name/ });
  const evil = await api.call('GET', '/api/v1/auth/whoami?fields=__proto__', admin);
  t.equal(evil.status, 400);
});

t.test('a repeated write with its key is done once and answered alike', async (t) => {
  const headers = { ...json, 'idempotency-key': 'one-1' };
  const body = JSON.stringify({ match: ['web-*'] });
  const first = await api.call('POST', '/api/v1/tokens', headers, body);
  const again = await api.call('POST', '/api/v1/tokens', headers, body);
  t.equal(again.text, first.text);
  t.equal(again.headers['idempotency-replayed'], 'true');
  const other = await api.call(
    'POST',
    '/api/v1/tokens',
    headers,
    JSON.stringify({ match: ['db-*'] }),
  );
  t.match(JSON.parse(other.text), { status: 422, code: 'API_IDEMPOTENCY_CONFLICT' });
  const bob = api.allow('vgot_bob', 'admin');
  const foreign = await api.call('POST', '/api/v1/tokens', { ...headers, ...bob }, body);
  t.equal(foreign.headers['idempotency-replayed'], undefined, 'keys of others mean nothing');
  const login = JSON.stringify({ name: 'ann', password: 'long enough for this' });
  const typed = { 'content-type': 'application/json', 'idempotency-key': 'l' };
  for (let at = 0; at < 2; at++) {
    const { headers: got } = await api.call('POST', '/api/v1/session', typed, login);
    t.equal(got['idempotency-replayed'], undefined, 'answers to strangers are not kept');
  }
  api.allow('vgot_admin', 'viewer');
  const demoted = await api.call('POST', '/api/v1/tokens', headers, body);
  t.equal(demoted.status, 403, 'who may no longer do it gets no old answer either');
  api.allow('vgot_admin', 'admin');
  const bad = await api.call('POST', '/api/v1/tokens', { ...json, 'idempotency-key': 'a b' }, body);
  t.match(JSON.parse(bad.text), { status: 400 });
});

t.test('answers are named, and carry what keeps browsers from harm', async (t) => {
  const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
  const named = { ...admin, traceparent, 'x-request-id': 'deploy-42' };
  const { headers } = await api.call('GET', '/api/v1/tokens', named);
  t.match(headers, {
    'x-trace-id': 'ab'.repeat(16),
    'x-request-id': 'deploy-42',
    'strict-transport-security': /max-age=\d{8}/,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': /camera=\(\)/,
    'content-security-policy': /default-src 'none'/,
    'cache-control': 'no-store',
  });
  t.notOk(
    Object.keys(headers).some((name) => name.startsWith('access-control')),
    'CORS is closed',
  );
  const forged = await api.call('GET', '/x', { 'x-request-id': 'a\u0009b<script>' });
  const problem = JSON.parse(forged.text) as { traceId: string };
  t.equal(forged.headers['x-request-id'], problem.traceId, 'a strange name is not repeated');
  t.equal(forged.headers['x-trace-id'], problem.traceId);
});
