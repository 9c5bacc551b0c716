import t from 'tap';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { policyKinds, policySchemas } from '../../../agent/policy/editor-schema/policy-schemas.ts';
import { fakeBackend } from './fake-backend.ts';

function get(path: string) {
  const access = { find: () => undefined, nowMs: () => 0, used: () => undefined };
  return new Router(routeTable, fakeBackend(), access).handle({
    method: 'GET',
    path,
    query: '',
    header: () => undefined,
    body: new Uint8Array(),
    peerAddress: '192.0.2.1',
  });
}

t.test('an editor gets every schema without a token, and may keep it', async (t) => {
  for (const kind of policyKinds) {
    const { status, headers, body } = await get(`/schema/${kind}.json`);
    t.equal(status, 200);
    t.match(headers, {
      'content-type': 'application/json',
      'cache-control': 'public, max-age=3600',
    });
    t.same(JSON.parse(String(body)), JSON.parse(JSON.stringify(policySchemas()[kind])));
  }
});

t.test('nothing else is to be had there', async (t) => {
  const { status, headers } = await get('/schema/passwd.json');
  t.equal(status, 400);
  t.equal(headers['cache-control'], 'no-store');
});
