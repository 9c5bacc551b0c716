import { createHash } from 'node:crypto';
import t from 'tap';
import type { ApiCredential } from '../../../admin/api/authenticate.ts';
import { lastUsed } from '../../../admin/api/last-used.ts';
import { isAllowed, permissionsOf, type Role, roles } from '../../../admin/api/permissions.ts';
import type { Problem } from '../../../admin/api/problem.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { fakeBackend } from './fake-backend.ts';

const nowMs = 1_000_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** One token of each role, an expired and a revoked one. */
const credentials = new Map<string, ApiCredential>();
function add(token: string, rest: Omit<ApiCredential, 'tokenSha256'>): void {
  const tokenSha256 = sha256(token);
  credentials.set(tokenSha256, { ...rest, tokenSha256 });
}
for (const role of roles) add(`vgot_${role}`, { name: role, role, tokenId: role });
add('vgot_expired', { name: 'late', role: 'admin', tokenId: 'late', expiresAtMs: nowMs });
add('vgot_revoked', { name: 'gone', role: 'admin', tokenId: 'gone', revokedAtMs: 1 });

function setUp() {
  const backend = fakeBackend();
  const used: (string | undefined)[] = [];
  const router = new Router(routeTable, backend, {
    find: (hash) => credentials.get(hash),
    nowMs: () => nowMs,
    used: ({ tokenId }) => used.push(tokenId),
  });
  const send = (method: string, path: string, token: string | undefined) =>
    router.handle({
      method,
      path,
      query: '',
      header: (name) =>
        name === 'authorization' && token !== undefined ? `Bearer ${token}` : undefined,
      body: new TextEncoder().encode('{}'),
      peerAddress: '127.0.0.1',
    });
  return { backend, send, used };
}

const guarded = routeTable.flatMap((route) =>
  route.access === 'public' ? [] : [{ ...route, access: route.access }],
);

t.test('no route answers without, or with a wrong, expired or revoked token', async (t) => {
  const { send, backend, used } = setUp();
  const bad = [undefined, '', 'vgot_wrong', 'vgot_expired', 'vgot_revoked', sha256('vgot_admin')];
  for (const { method, path } of guarded) {
    for (const token of [...bad, 'x'.repeat(10_000)]) {
      const answer = await send(method, path.replaceAll(/\{\w+\}/g, 'x'), token);
      t.equal(answer.status, 401, `${method} ${path} with ${token?.slice(0, 20)}`);
    }
  }
  t.same([backend.asked, used], [[], []], 'no actor was asked and no use was noted');
});

t.test('a role that lacks the permission is refused, on every route', async (t) => {
  const { send, backend } = setUp();
  for (const { method, path, access } of guarded) {
    const target = path.replaceAll(/\{\w+\}/g, 'x');
    for (const role of roles.filter((each) => !isAllowed(each, access))) {
      const answer = await send(method, target, `vgot_${role}`);
      const problem = JSON.parse(String(answer.body)) as Problem;
      t.equal(answer.status, 403, `${method} ${path} as ${role}`);
      t.equal(problem.code, 'API_FORBIDDEN');
      t.match(problem.details, { permission: access, role });
    }
  }
  t.same(backend.asked, [], 'before any actor was asked');
});

t.test('a role that has the permission gets through, on every route', async (t) => {
  const { send } = setUp();
  for (const { method, path, access } of guarded) {
    const target = path.replaceAll(/\{\w+\}/g, 'x');
    for (const role of roles.filter((each) => isAllowed(each, access))) {
      const { body, status } = await send(method, target, `vgot_${role}`);
      const { code } = (status === 200 ? {} : JSON.parse(String(body))) as Partial<Problem>;
      t.notMatch(code ?? '', /UNAUTHENTICATED|FORBIDDEN/, `${method} ${path} as ${role}`);
    }
  }
});

t.test('each role may do more than the one before it, and every permission is of use', (t) => {
  let before = new Set<string>();
  for (const role of roles) {
    const own: ReadonlySet<string> = permissionsOf(role);
    t.ok([...before].every((permission) => own.has(permission)) && own.size > before.size, role);
    before = new Set(own);
  }
  t.notOk(isAllowed('operator', 'config.approve'), 'who publishes cannot let it through alone');
  t.notOk(isAllowed('viewer', 'config.publish'));
  t.notOk(isAllowed('nobody' as Role, 'status.read'));
  t.end();
});

t.test('the last use of a token is told at most once a minute', (t) => {
  const told: [string, number][] = [];
  const clock = { at: 0, nowMs: () => clock.at };
  const use = lastUsed((id, atMs) => told.push([id, atMs]), clock);
  const principal = { by: 'admin:a', name: 'a', role: 'viewer', expiresAtMs: undefined } as const;
  for (const atMs of [0, 10, 59_999, 60_000, 60_001]) {
    clock.at = atMs;
    use({ ...principal, tokenId: 'one' });
    use({ ...principal, tokenId: undefined });
  }
  t.same(told, [
    ['one', 0],
    ['one', 60_000],
  ]);
  t.end();
});
