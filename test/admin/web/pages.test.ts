import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import type { Grant } from '../../../actors/accounts/messages.ts';
import type { RunDetailView } from '../../../admin/api/backend.ts';
import type { EdgeRequest, EdgeResponse } from '../../../admin/api/http-edge.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { csvRow } from '../../../admin/web/csv.ts';
import { pageTable } from '../../../admin/web/page-table.ts';
import { fakeBackend, knownEnvoy } from '../api/fake-backend.ts';

const token = 'vgot_the-right-one';
const tokenSha256 = createHash('sha256').update(token).digest('hex');
const hostile = '<script>alert(1)</script>"\' onload=x \u001b[31m\u202e=cmd|x';
const envoy = { ...knownEnvoy, hostname: hostile, os: hostile, agentVersion: hostile };
const run: RunDetailView = {
  id: '0a1b2c3d-0000-4000-8000-000000000001',
  envoyId: envoy.id,
  hostname: hostile,
  reportSequence: 1,
  startedAtMs: 1,
  receivedAtMs: 2,
  durationMs: 3,
  policyVersion: 4,
  state: 'failed',
  dryRun: true,
  offline: true,
  policyChanged: true,
  total: 2,
  unchanged: 0,
  created: 0,
  updated: 1,
  deleted: 0,
  skipped: 0,
  blocked: 0,
  failed: 1,
  results: ['failed', 'updated', 'skipped', hostile].map((action) => ({
    id: hostile,
    type: hostile,
    action,
    reason: hostile,
    diff: `--- a\n+++ b\n@@ -1 +1 @@\n-${hostile}\n+${hostile}\n`,
    errorCode: hostile,
    durationMs: 1,
  })),
  incidents: [{ code: hostile, message: hostile, atMs: 1 }],
};

/** A fleet in which whatever a machine may choose is hostile. */
function hostileFleet({
  role = 'admin' as 'none' | 'viewer' | 'admin',
  listed = envoy,
  grants = [] as readonly Grant[],
} = {}) {
  const backend = fakeBackend();
  const { views } = backend;
  const counts = { ...views.fleet.overview('24h', 0).envoys.counts, failed: 1 };
  const transition = { atMs: 1, from: 'converged', to: 'failed', reason: hostile } as const;
  const traits = { os: { name: hostile }, [hostile]: [hostile] };
  const detail = {
    ...views.fleet.detail(envoy),
    traitsReceivedMs: 1,
    runs: [run],
    history: [{ ...transition, afterMs: undefined }],
  };
  const resource = { ...run.results[0]!, runId: run.id, runStartedAtMs: 1, changedAtMs: 1 };
  const resources = { items: [resource], total: 1, unchanged: 0, lastRun: run };
  const told = { envoyId: envoy.id, hostname: hostile, receivedAtMs: 1, hash: '00', traits };
  const hostileBackend = {
    ...backend,
    views: {
      ...views,
      accounts: { ...views.accounts, any: () => true },
      envoys: ({ cursor }: { cursor?: string }) => ({
        items: [listed],
        next: cursor === undefined ? 'more' : undefined,
        total: 2,
        counts,
      }),
      findEnvoys: () => [envoy],
      runs: () => ({ items: [run], next: 'more' }),
      run: () => run,
      fleet: {
        ...views.fleet,
        detail: () => detail,
        history: () => ({ items: detail.history, next: undefined }),
        traits: () => told,
        resources: () => resources,
        savedViews: () => [{ name: hostile, query: { selector: hostile }, changedAtMs: 1 }],
      },
    },
  };
  const router = new Router(
    routeTable,
    hostileBackend,
    {
      find: (hash) =>
        hash === tokenSha256 ? { name: hostile, role, grants, tokenSha256 } : undefined,
      nowMs: () => 0,
      used: () => undefined,
    },
    undefined,
    pageTable,
  );
  return (target: string, headers: Record<string, string> = {}) => {
    const [path = '', query = ''] = target.split('?');
    const request: EdgeRequest = {
      method: 'GET',
      path,
      query,
      header: (name) => headers[name],
      body: new Uint8Array(),
      peerAddress: '127.0.0.1',
    };
    return router.handle(request);
  };
}

const asAdmin = { authorization: `Bearer ${token}` };
const pages = pageTable.filter(
  ({ method, path }) => method === 'GET' && !path.startsWith('/assets') && !path.endsWith('.csv'),
);
/** Pages of the fleet, with something to show. */
const fleetPages = [
  '/envoys?q=os.name%3D%3Cb%3E&state=failed&sort=seen&order=desc',
  `/envoys/${envoy.id}`,
  `/envoys/${envoy.id}/resources`,
  `/envoys/${envoy.id}/runs`,
  `/envoys/${envoy.id}/traits?find=%22%3E%3Cb%3E`,
  `/envoys/${envoy.id}/history`,
  '/runs?state=failed',
  `/runs/${run.id}`,
  '/account',
];

function text({ body }: EdgeResponse): string {
  return String(body);
}

/** Markup without the values of its attributes, which hold no quotation mark. */
function unquoted(markup: string): string {
  return markup.replaceAll(/"[^"]*"/g, '""');
}

/** What of the text fits, with what stands before it: short enough to be read in a report. */
function found(markup: string, wanted: RegExp): string | undefined {
  const at = markup.search(wanted);
  return at < 0 ? undefined : markup.slice(Math.max(0, at - 80), at + 160);
}

t.test('strangers are sent to the login, and come back to where they wanted to go', async (t) => {
  const ask = hostileFleet();
  for (const { path, access } of pages) {
    if (access === 'public') continue;
    const target = path.replaceAll(/\{\w+\}/g, 'x');
    const { status, headers, body } = await ask(`${target}?a=%2F%26`);
    t.equal(status, 303, path);
    t.equal(headers.location, `/login?next=${encodeURIComponent(`${target}?a=%2F%26`)}`, path);
    t.equal(body, '', 'and see nothing of the page');
  }
  const shown = 'https://vigo.example.com:8443/runs?state=failed';
  const part = await ask('/runs', { 'hx-request': 'true', 'hx-current-url': shown });
  t.equal(part.status, 401, 'a part of a page that is asked for makes its page go to the login');
  t.equal(part.headers['hx-redirect'], '/login?next=%2Fruns%3Fstate%3Dfailed');
});

t.test('what a machine calls itself is text on every page of the fleet', async (t) => {
  const ask = hostileFleet();
  for (const target of fleetPages) {
    const response = await ask(target, asAdmin);
    t.equal(response.status, 200, `${target} ${response.status === 200 ? '' : text(response)}`);
    const markup = text(response);
    if (target !== '/account') t.match(markup, '&lt;script&gt;alert(1)', `${target} shows it`);
    t.equal(found(markup, /<script>|<b>/), undefined, 'as no element');
    t.equal(
      found(markup, /(?!\n)\p{Cc}|\p{Bidi_Control}/u),
      undefined,
      'and steers no terminal and no direction',
    );
    t.equal(found(unquoted(markup), /<[^>]*\sonload=/), undefined, 'as no attribute');
  }
});

t.test('no page needs an exception of its policy', async (t) => {
  const ask = hostileFleet();
  for (const { path } of pages) {
    const { headers, body } = await ask(path.replaceAll(/\{\w+\}/g, envoy.id), asAdmin);
    const policy = headers['content-security-policy'] ?? '';
    t.match(policy, "default-src 'none'", path);
    t.notMatch(policy, /unsafe|\*|https?:/, path);
    const markup = unquoted(String(body));
    t.equal(found(markup, /<script(?![^>]*\ssrc=)/), undefined, `${path} has no script of its own`);
    const inline = /<style|<[^>]*\s(style|on[a-z]+)=/;
    t.equal(found(markup, inline), undefined, `${path} has no style or handler`);
  }
});

t.test('every element of a page has an id of its own', async (t) => {
  const ask = hostileFleet();
  for (const target of ['/', ...fleetPages, '/login', '/runs']) {
    const ids = [...text(await ask(target, asAdmin)).matchAll(/\sid="([^"]*)"/g)].map(
      ([, id]) => id,
    );
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
    // The results of a run stand under the names that the machine gave, which are all the same here.
    t.same(twice, [], target);
  }
});

t.test('a page that fetches its parts again gets them without what stands around', async (t) => {
  const ask = hostileFleet();
  const whole = text(await ask('/envoys', asAdmin));
  const parts = text(await ask('/envoys', { ...asAdmin, 'hx-request': 'true' }));
  for (const markup of [whole, parts]) {
    t.match(markup, 'id="page-head"');
    t.match(markup, '<div id="envoys" hx-get="/envoys" hx-select="#envoys"');
  }
  t.match(whole, '<nav class="sidebar"');
  t.notOk(parts.includes('<nav class="sidebar"'));
});

t.test('a refusal is a page with its code; the login takes nobody to another site', async (t) => {
  const ask = hostileFleet();
  const broken = await ask('/runs?state=nonsense', asAdmin);
  t.equal(broken.status, 400);
  t.match(text(broken), 'API_BAD_REQUEST');
  t.match(broken.headers['content-type'] ?? '', 'text/html');
  const typed = { accept: 'text/html,application/xhtml+xml' };
  const unknown = await ask('/no/such/page', { ...asAdmin, ...typed });
  t.equal(unknown.status, 404);
  t.match(text(unknown), '<h1>Not found</h1>');
  const stranger = await ask('/no/such/page', typed);
  t.equal(stranger.status, 303, 'who may not know which pages there are learns nothing');
  const program = await ask('/api/v1/nothing', { ...asAdmin, ...typed });
  t.match(program.headers['content-type'] ?? '', 'application/problem+json');
  const selector = await ask('/envoys?q=os.name%3C3', asAdmin);
  t.equal(selector.status, 400);
  t.match(text(selector), 'API_BAD_SELECTOR');
  t.match(text(selector), 'value="os.name&lt;3"', 'and keeps what was typed');
  for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
    const page = text(await ask(`/login?next=${encodeURIComponent(next)}`));
    t.equal(found(page, /evil.example/), undefined, next);
  }
});

t.test('a spreadsheet computes nothing that a machine wrote', async (t) => {
  const cells = ['=1+1', '@SUM(1)', '+1', '-1', '\tx', 'a"b', 'c,d', 7, undefined, 'plain'];
  t.equal(csvRow(cells), `'=1+1,'@SUM(1),'+1,'-1,'\tx,"a""b","c,d",7,,plain\r\n`);
  const hostname = '=HYPERLINK("http://evil.example","x")';
  const ask = hostileFleet({ listed: { ...envoy, hostname } });
  const file = await ask('/envoys.csv?q=web', asAdmin);
  t.match(file.headers['content-disposition'], 'attachment');
  t.match(file.headers['content-type'], 'text/csv');
  const [, ...rows] = text(file).trimEnd().split('\r\n');
  t.equal(rows.length, 2, 'every page of the list is in it');
  for (const row of rows) t.match(row, `,"'=HYPERLINK(""http://evil.example"",""x"")",`);
});

const unpack = { br: brotliDecompressSync, gzip: gunzipSync };

t.test('assets are kept for ever under a name that changes with them', async (t) => {
  const ask = hostileFleet();
  const login = text(await ask('/login'));
  const addresses = [...login.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, address]) => address ?? '');
  t.ok(addresses.length >= 5);
  for (const address of addresses) {
    const plain = await ask(address);
    t.equal(plain.status, 200, address);
    t.match(plain.headers['cache-control'], 'immutable');
    const whole = plain.body as Uint8Array;
    for (const [accepted, encoding] of [
      ['gzip, br', 'br'],
      ['gzip', 'gzip'],
    ] as const) {
      const { headers, body } = await ask(address, { 'accept-encoding': accepted });
      const bytes = body as Uint8Array;
      const isPacked = headers['content-encoding'] !== undefined;
      t.equal(headers['content-encoding'], isPacked ? encoding : undefined);
      t.ok(isPacked || whole.length < 1_000, `${address}: only what is small goes as it is`);
      t.ok(Buffer.from(isPacked ? unpack[encoding](bytes) : bytes).equals(whole));
      t.ok(bytes.length <= whole.length);
    }
    const again = await ask(address, { 'if-none-match': plain.headers.etag ?? '' });
    t.same([again.status, again.body], [304, '']);
  }
  const outside = await ask('/assets/..%2f..%2fpackage.json');
  t.ok([400, 404].includes(outside.status), 'no way out of the assets');
  t.equal((await ask('/assets/vigo.0000000000000000.css')).status, 404);
});

t.test('who may less sees less: no action that the API would refuse', async (t) => {
  const seen = text(await hostileFleet({ role: 'viewer' })(`/envoys/${envoy.id}`, asAdmin));
  t.notMatch(seen, /data-dialog="revoke"|data-dialog="maintenance"/);
  const more = text(await hostileFleet()(`/envoys/${envoy.id}`, asAdmin));
  t.match(more, 'data-dialog="revoke"');
});

t.test('who may see some envoys only begins with the list of them', async (t) => {
  const grants = [{ role: 'viewer', envoys: 'web-*' }] as const;
  const ask = hostileFleet({ role: 'none', grants });
  const start = await ask('/', asAdmin);
  t.equal(start.status, 303);
  t.equal(start.headers.location, '/envoys');
  const list = await ask('/envoys', asAdmin);
  t.equal(list.status, 200);
  const shown = text(list);
  t.notOk(shown.includes('href="/people"'), 'places that would be refused are not offered');
  t.ok(shown.includes('href="/runs"'));
});
