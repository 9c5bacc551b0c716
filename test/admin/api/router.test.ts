import { createHash } from 'node:crypto';
import t from 'tap';
import type { EdgeRequest, EdgeResponse } from '../../../admin/api/http-edge.ts';
import type { Problem } from '../../../admin/api/problem.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { fc } from '../../support/property.ts';
import { fakeBackend, knownEnvoy } from './fake-backend.ts';

const token = 'vgot_the-right-one';
const tokenSha256 = createHash('sha256').update(token).digest('hex');

function setUp() {
  const backend = fakeBackend();
  const router = new Router(routeTable, backend, {
    find: (hash) =>
      hash === tokenSha256 ? { name: 'local', role: 'admin', tokenSha256 } : undefined,
    nowMs: () => 0,
    used: () => undefined,
  });
  const send = (method: string, target: string, body?: unknown, authorization?: string) => {
    const [path = '', query = ''] = target.split('?');
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const request: EdgeRequest = {
      method,
      path,
      query,
      header: (name) => (name === 'authorization' ? authorization : undefined),
      body: new TextEncoder().encode(text ?? ''),
      peerAddress: '127.0.0.1',
    };
    return router.handle(request);
  };
  const asAdmin = (method: string, target: string, body?: unknown) =>
    send(method, target, body, `Bearer ${token}`);
  return { backend, send, asAdmin };
}

function problem(response: EdgeResponse): Problem {
  return JSON.parse(String(response.body)) as Problem;
}

t.test('no route but the public ones answers without the right token', async (t) => {
  const { send, backend } = setUp();
  const wrong = [undefined, '', 'Bearer', 'Bearer ', 'Bearer vgot_wrong', `Basic ${token}`, token];
  for (const route of routeTable.filter(({ access }) => access !== 'public')) {
    const path = route.path.replaceAll(/\{\w+\}/g, 'x');
    for (const authorization of wrong) {
      const response = await send(route.method, path, '{}', authorization);
      t.equal(response.status, 401, `${route.method} ${route.path} with ${authorization}`);
      t.equal(problem(response).code, 'API_UNAUTHENTICATED');
    }
  }
  t.equal(backend.asked.length, 0, 'and no actor was asked');
});

t.test('a stranger cannot learn which paths exist', async (t) => {
  const { send } = setUp();
  t.equal((await send('GET', '/no/such/path')).status, 401);
  t.equal((await send('GET', '/api/v1/openapi.json')).status, 401);
});

t.test('an admin creates a token with a default life', async (t) => {
  const { asAdmin, backend } = setUp();
  const response = await asAdmin('POST', '/api/v1/tokens', { match: ['web-*'] });
  t.equal(response.status, 200);
  t.same(backend.asked, [
    {
      type: 'createToken',
      payload: { match: ['web-*'], expiresInMs: 86_400_000, by: 'admin:local' },
    },
  ]);
});

t.test('bad input names the field and changes nothing', async (t) => {
  const { asAdmin, backend } = setUp();
  const cases: [string, string, unknown, RegExp][] = [
    ['POST', '/api/v1/tokens', {}, /required/],
    ['POST', '/api/v1/tokens', { match: [] }, /body\/match/],
    ['POST', '/api/v1/tokens', { match: ['a'], expire: 5 }, /unknown fields: expire/],
    ['POST', '/api/v1/tokens', '{"match":', /not JSON/],
    ['GET', '/api/v1/envoys?limit=many', undefined, /query\/limit/],
    ['GET', '/api/v1/envoys?limit=100000', undefined, /query\/limit/],
    ['GET', '/api/v1/envoys?nosuch=1', undefined, /unknown fields: nosuch/],
    ['GET', '/api/v1/runs/%E0%A4%A', undefined, /broken escape/],
  ];
  for (const [method, target, body, words] of cases) {
    const response = await asAdmin(method, target, body);
    t.equal(response.status, 400, target);
    t.match(problem(response).detail, words);
    t.ok(problem(response).remedy);
  }
  t.equal(backend.asked.length, 0);
});

t.test('what is not there, not allowed or ambiguous is said so', async (t) => {
  const { asAdmin } = setUp();
  t.equal((await asAdmin('GET', '/api/v1/nothing')).status, 404);
  const method = await asAdmin('DELETE', '/api/v1/status');
  t.equal(method.status, 405);
  t.equal(method.headers.allow, 'GET');
  t.equal(problem(await asAdmin('GET', '/api/v1/envoys/web-9')).code, 'API_NOT_FOUND');
  t.equal(problem(await asAdmin('GET', '/api/v1/envoys/twin')).code, 'API_AMBIGUOUS');
  const found = await asAdmin('GET', `/api/v1/envoys/${knownEnvoy.hostname}`);
  t.equal((JSON.parse(String(found.body)) as { id: string }).id, knownEnvoy.id);
});

t.test("an actor's refusal keeps its code and its remedy", async (t) => {
  const { asAdmin } = setUp();
  const refused = problem(await asAdmin('POST', '/api/v1/config/publish', {}));
  t.equal(refused.code, 'ENROLLMENT_TOKEN_USED');
  t.ok(refused.remedy);
  t.ok(/^[0-9a-f]{32}$/.test(refused.traceId));
});

t.test('a trace by UUID is of the host name, with what the envoy reported', async (t) => {
  const { asAdmin, backend } = setUp();
  for (const hostname of ['web-1', 'never-seen']) {
    await asAdmin('POST', '/api/v1/config/trace', { hostname, of: '7' });
  }
  const payloads = backend.asked.map(({ payload }) => payload);
  t.same(payloads, [
    { of: 7, hostname: 'web-1', traitsJson: '{"os":{}}' },
    { of: 7, hostname: 'never-seen' },
  ]);
});

t.test('the OpenAPI document lists every route', async (t) => {
  const { asAdmin } = setUp();
  const response = await asAdmin('GET', '/api/v1/openapi.json');
  const document = JSON.parse(String(response.body)) as { paths: Record<string, object> };
  for (const { path, method } of routeTable) {
    t.ok(document.paths[path] && method.toLowerCase() in document.paths[path], path);
  }
});

t.test('no route answers 500 to a body that it does not know', async (t) => {
  const { asAdmin } = setUp();
  for (const { method, path } of routeTable) {
    for (const body of ['', '{}', '[]', '"x"', '{']) {
      t.ok((await asAdmin(method, path, body)).status < 500, `${method} ${path} with ${body}`);
    }
  }
});

t.test('no request makes the router throw or answer 500', async () => {
  const { asAdmin } = setUp();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH'),
      fc.oneof(fc.webPath(), fc.constantFrom(...routeTable.map(({ path }) => path))),
      fc.oneof(fc.json(), fc.string()),
      async (method, path, body) => (await asAdmin(method, path, body)).status < 500,
    ),
    { numRuns: 300 },
  );
});
