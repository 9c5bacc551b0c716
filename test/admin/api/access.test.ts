import { createHash } from 'node:crypto';
import t from 'tap';
import { Create } from 'typebox/value';
import type { ApiCredential, Principal } from '../../../admin/api/authenticate.ts';
import { RateGuard } from '../../../admin/api/http/rate-guard.ts';
import { lastUsed } from '../../../admin/api/last-used.ts';
import {
  isAllowed,
  ladder,
  permissionsOf,
  type Role,
  roles,
} from '../../../admin/api/permissions.ts';
import type { Problem } from '../../../admin/api/problem.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { pageTable } from '../../../admin/web/page-table.ts';
import { fakeBackend } from './fake-backend.ts';

const nowMs = 1_000_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const credentials = new Map<string, ApiCredential>();

function add(token: string, rest: Partial<ApiCredential> & Pick<ApiCredential, 'role'>): void {
  const tokenSha256 = sha256(token);
  credentials.set(tokenSha256, { name: token.slice(5), ...rest, tokenSha256 });
}

/** Each kind of credential, once as an API token and once as a person's session. */
for (const prefix of ['vgot', 'vgos'] as const) {
  const proof =
    prefix === 'vgot' ? { tokenId: 'token' } : { sessionId: 'session', accountId: 'account' };
  for (const role of roles) add(`${prefix}_${role}`, { role, ...proof });
  add(`${prefix}_expired`, { role: 'admin', ...proof, expiresAtMs: nowMs });
  add(`${prefix}_revoked`, { role: 'admin', ...proof, revokedAtMs: 1 });
  add(`${prefix}_disabled`, { role: 'admin', ...proof, disabled: true });
  add(`${prefix}_idle`, { role: 'admin', ...proof, idleUntilMs: nowMs });
  add(`${prefix}_nothing`, { role: 'none', ...proof });
  add(`${prefix}_limited`, { role: 'admin', ...proof, permissions: ['access.self'] });
  add(`${prefix}_elsewhere`, { role: 'admin', ...proof, envoys: ['db-*'] });
  const grants = [{ role: 'admin', envoys: 'db-*' }] as const;
  add(`${prefix}_granted`, { role: 'none', ...proof, grants });
  add(`${prefix}_due`, { role: 'admin', ...proof, mustChangePassword: true });
}
const over = ['expired', 'revoked', 'disabled', 'idle'];

type Headers = Readonly<Record<string, string>>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
/** As a browser sends it from our own pages. */
const cookie = (token: string): Headers => ({
  cookie: `other=1; __Host-vigo_session=${token}`,
  'sec-fetch-site': 'same-origin',
});

function setUp() {
  const backend = fakeBackend();
  const used: (string | undefined)[] = [];
  const access = {
    find: (hash: string) => credentials.get(hash),
    nowMs: () => nowMs,
    used: ({ tokenId }: Principal) => used.push(tokenId),
  };
  let monotonicMs = 0;
  const patient = new RateGuard({
    monotonicMs: () => {
      monotonicMs += 60_000;
      return monotonicMs;
    },
  });
  const router = new Router(routeTable, backend, access, undefined, pageTable, patient);
  const send = async (method: string, path: string, headers: Headers, given: unknown = {}) => {
    const {
      status,
      body,
      headers: got,
    } = await router.handle({
      method,
      path: path.replaceAll(/\{\w+\}/g, 'x'),
      query: '',
      header: (name) => headers[name],
      body: new TextEncoder().encode(JSON.stringify(given)),
      peerAddress: '127.0.0.1',
    });
    const isProblem = got['content-type'] === 'application/problem+json';
    const problem = isProblem ? (JSON.parse(String(body)) as Partial<Problem>) : {};
    const cors = Object.keys(got).filter((name) => name.startsWith('access-control-'));
    return {
      status,
      code: problem.code ?? '',
      details: problem.details,
      location: got.location,
      cors,
    };
  };
  return { backend, send, used };
}

const guarded = routeTable.flatMap((route) =>
  route.access === 'public' ? [] : [{ ...route, access: route.access }],
);
const own = guarded.filter(({ access }) => access === 'access.self');
const others = guarded.filter(({ access }) => access !== 'access.self');

t.test('no route answers without a credential that is in force', async (t) => {
  const { send, backend, used } = setUp();
  const wrong = ['', 'vgot_wrong', 'vgos_wrong', sha256('vgot_admin'), 'x'.repeat(10_000)];
  const bad: Headers[] = [
    {},
    { authorization: 'vgot_admin' },
    { authorization: `Basic ${Buffer.from('admin:vgot_admin').toString('base64')}` },
    // A cookie does not help out a bearer token that is not valid.
    { ...cookie('vgos_admin'), authorization: 'Bearer vgot_wrong' },
    // An API token is not taken from a cookie, where a browser would send it by itself.
    cookie('vgot_admin'),
    { ...cookie('vgos_admin'), cookie: '__Host-vigo_session=a; __Host-vigo_session=vgos_admin' },
    { ...cookie('vgos_admin'), cookie: 'vigo_session=vgos_admin' },
    ...[...wrong, ...over.flatMap((each) => [`vgot_${each}`, `vgos_${each}`])].map(bearer),
    ...[...wrong, ...over.map((each) => `vgos_${each}`)].map(cookie),
  ];
  for (const { method, path } of guarded) {
    for (const headers of bad) {
      const { status, code } = await send(method, path, headers);
      const what = `${method} ${path} with ${JSON.stringify(headers).slice(0, 80)}`;
      t.same([status, code], [401, 'API_UNAUTHENTICATED'], what);
    }
  }
  t.same([backend.asked, used], [[], []], 'no actor was asked and no use was noted');
});

t.test('no page is shown without a credential, or without the right', async (t) => {
  const { send, backend } = setUp();
  const pages = pageTable.flatMap((page) =>
    page.access === 'public' ? [] : [{ ...page, access: page.access }],
  );
  t.ok(pages.length > 20);
  for (const { method, path, access } of pages) {
    for (const who of ['wrong', ...over]) {
      const { status, location } = await send(method, path, cookie(`vgos_${who}`));
      const isSentToLogin = status === 303 && location?.startsWith('/login') === true;
      t.ok(isSentToLogin || status === 401, `${path} as ${who}: ${status}`);
    }
    if (access === 'access.self') continue;
    for (const who of [...roles.filter((role) => !isAllowed(role, access)), 'nothing', 'due']) {
      const { status } = await send(method, path, cookie(`vgos_${who}`));
      t.ok(status === 403 || status === 303, `${path} as ${who}: ${status}`);
    }
  }
  t.same(backend.asked, []);
});

t.test('another site cannot make a browser write, whoever is logged in there', async (t) => {
  const { send, backend } = setUp();
  const { cookie: session = '' } = cookie('vgos_admin');
  const foreign: Headers[] = [
    { cookie: session, 'sec-fetch-site': 'cross-site' },
    { cookie: session, 'sec-fetch-site': 'same-site' },
    { cookie: session, origin: 'https://evil.example', host: 'vigo.example' },
    { cookie: session, origin: 'null', host: 'vigo.example' },
    { cookie: session, origin: 'http://vigo.example', host: 'vigo.example' },
    { cookie: session, 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    { cookie: session, referer: 'https://vigo.example/' },
  ];
  for (const { method, path } of guarded.filter((route) => route.method !== 'GET')) {
    for (const headers of foreign) {
      const { status, code } = await send(method, path, headers);
      t.same([status, code], [403, 'API_CROSS_SITE'], `${method} ${path}`);
    }
  }
  const open = routeTable.filter(({ access, method }) => access === 'public' && method !== 'GET');
  for (const { method, path } of open) {
    const { code } = await send(method, path, { 'sec-fetch-site': 'cross-site' });
    t.equal(code, 'API_CROSS_SITE', `nobody is logged in by another site: ${path}`);
  }
  const origin = 'https://evil.example';
  const preflight = { origin, 'access-control-request-method': 'POST' };
  for (const { method, path } of routeTable) {
    t.same((await send('OPTIONS', path, preflight)).cors, [], 'no other site is invited');
    t.same((await send(method, path, { ...bearer('vgot_viewer'), origin })).cors, []);
  }
  t.same(
    backend.asked.filter(({ type }) => type === 'createToken'),
    [],
  );
});

t.test('who lacks the permission is refused, on every route', async (t) => {
  const { send, backend } = setUp();
  for (const { method, path, access } of others) {
    const lacking = roles.filter((role) => !isAllowed(role, access));
    for (const who of [...lacking, 'nothing', 'limited', 'due']) {
      for (const headers of [bearer(`vgot_${who}`), bearer(`vgos_${who}`), cookie(`vgos_${who}`)]) {
        const { status, code, details } = await send(method, path, headers);
        t.equal(status, 403, `${method} ${path} as ${who}`);
        t.equal(code, who === 'due' ? 'API_PASSWORD_CHANGE_DUE' : 'API_FORBIDDEN');
        if (who !== 'due') t.match(details, { permission: access });
      }
    }
  }
  t.same(backend.asked, [], 'before any actor was asked');
});

t.test('a right over some envoys is none over others, nor over the server', async (t) => {
  const { send, backend } = setUp();
  for (const { method, path, envoys, access, body } of others) {
    // A handler that decides comes after the schemas.
    const given = envoys === 'named' && body !== undefined ? Create(body) : {};
    for (const who of ['vgot_elsewhere', 'vgot_granted', 'vgos_granted']) {
      // web-1 is no db-*.
      const target = path.replace('{id}', 'web-1');
      const { status, code } = await send(method, target, bearer(who), given);
      const isList = envoys === 'named' && !path.includes('{');
      if (!isList) t.equal(code, 'API_FORBIDDEN', `${method} ${target} (${access}) as ${who}`);
      else t.ok(status === 200 || code === 'API_FORBIDDEN', `${method} ${target} as ${who}`);
    }
  }
  t.same(backend.asked, []);
});

t.test('who has the permission gets through, on every route', async (t) => {
  const { send } = setUp();
  for (const { method, path, access } of guarded) {
    for (const role of roles.filter((each) => isAllowed(each, access))) {
      for (const headers of [
        bearer(`vgot_${role}`),
        bearer(`vgos_${role}`),
        cookie(`vgos_${role}`),
      ]) {
        const { code } = await send(method, path, headers);
        t.notMatch(code, /UNAUTHENTICATED|FORBIDDEN|CROSS_SITE/, `${method} ${path} as ${role}`);
      }
    }
  }
});

t.test('D10: nobody says in a body who they are', async (t) => {
  const { send, backend } = setUp();
  for (const { method, path, body } of guarded) {
    if (body === undefined) continue;
    const schema = body as { properties?: object; additionalProperties?: unknown };
    t.equal(schema.additionalProperties, false, `${method} ${path} takes no other field`);
    for (const field of ['by', 'actor', 'approvedBy', 'approver', 'createdBy']) {
      t.notOk(Object.hasOwn(schema.properties ?? {}, field), `${method} ${path}: ${field}`);
      const forged = { [field]: 'admin:somebody' };
      const { code } = await send(method, path, cookie('vgos_admin'), forged);
      t.equal(code, 'API_BAD_REQUEST');
    }
  }
  t.same(backend.asked, []);
});

t.test('D1, D15: nothing is shown beside the routes, nor their description', async (t) => {
  const { send, backend } = setUp();
  const odd = [
    '/',
    '/chat',
    '/api',
    '/api/v1',
    '/api/v1/openapi.json',
    '/api/v1/envoys/',
    '/admin',
  ];
  const tricks = ['//api/v1/envoys', '/api/v1/../v1/envoys', '/API/V1/envoys', '/api/v1/envoys%2f'];
  for (const path of [...odd, ...tricks]) {
    for (const method of ['GET', 'POST', 'OPTIONS', 'TRACE']) {
      const { status } = await send(method, path, {});
      t.ok([303, 401, 404].includes(status), `${method} ${path}: ${status}`);
    }
  }
  t.same(backend.asked, []);
});

t.test('everybody sees and proves themselves, whatever else they may not', async (t) => {
  const { send } = setUp();
  for (const { method, path } of own) {
    for (const who of ['nothing', 'limited', 'due', 'granted', 'auditor']) {
      const { code } = await send(method, path, bearer(`vgos_${who}`));
      t.notMatch(code, /UNAUTHENTICATED|FORBIDDEN|CHANGE_DUE/, `${method} ${path} as ${who}`);
    }
  }
});

t.test('roles: each step may more than the one before it; the auditor only reads', (t) => {
  let before = new Set<string>();
  for (const role of ladder) {
    const rights: ReadonlySet<string> = permissionsOf(role);
    t.ok([...before].every((right) => rights.has(right)) && rights.size > before.size, role);
    before = new Set(rights);
  }
  const auditor: ReadonlySet<string> = permissionsOf('auditor');
  t.ok(
    [...permissionsOf('viewer')].every((right) => auditor.has(right)),
    'all that can be read',
  );
  t.ok(auditor.has('access.read') && auditor.has('audit.read'));
  const readable = /^(\w+\.(read|list)|config\.validate|access\.self)$/;
  t.same(
    [...auditor].filter((right) => !readable.test(right)),
    [],
    'changes nothing',
  );
  t.notOk(isAllowed('operator', 'config.approve'), 'who publishes cannot let it through alone');
  t.notOk(isAllowed('viewer', 'config.publish'));
  t.notOk(isAllowed('nobody' as Role, 'status.read'));
  t.end();
});

t.test('the last use of a credential is told at most once a minute', (t) => {
  const told: [string, number, string][] = [];
  const clock = { at: 0, nowMs: () => clock.at };
  const use = lastUsed((id, atMs, kind) => told.push([id, atMs, kind]), clock);
  const principal = { by: 'admin:a', name: 'a', role: 'viewer', expiresAtMs: undefined } as const;
  for (const atMs of [0, 10, 59_999, 60_000, 60_001]) {
    clock.at = atMs;
    use({ ...principal, tokenId: 'one' });
    use({ ...principal, tokenId: undefined, sessionId: 'two' });
    use({ ...principal, tokenId: undefined });
  }
  t.same(told, [
    ['one', 0, 'token'],
    ['two', 0, 'session'],
    ['one', 60_000, 'token'],
    ['two', 60_000, 'session'],
  ]);
  t.end();
});
