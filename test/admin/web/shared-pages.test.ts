import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import type { ApiCredential } from '../../../admin/api/authenticate.ts';
import type { EdgeResponse } from '../../../admin/api/http-edge.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { pageTable } from '../../../admin/web/page-table.ts';
import { fakeBackend, knownEnvoy } from '../api/fake-backend.ts';

const part = { 'hx-request': 'true' };

/** Two machines, a backend that counts how often it is asked, and people. */
function setUp() {
  const backend = fakeBackend();
  const world = { nowMs: 10_000, reads: 0, hostname: 'web-1', credentials: new Map() };
  const envoys = () => [
    { ...knownEnvoy, hostname: world.hostname },
    { ...knownEnvoy, id: knownEnvoy.id.replace(/1$/, '2'), hostname: 'db-1' },
  ];
  const counts = backend.views.fleet.overview('24h', 0).envoys.counts;
  const views: typeof backend.views = {
    ...backend.views,
    accounts: { ...backend.views.accounts, any: () => true },
    envoys: ({ within }) => {
      world.reads += 1;
      const items = envoys().filter(({ hostname }) =>
        within === undefined ? true : JSON.stringify(within).includes(hostname.slice(0, 2)),
      );
      return { items, next: undefined, total: items.length, counts };
    },
    fleet: {
      ...backend.views.fleet,
      savedViews: (owner) => [
        { name: `view of ${owner}`, query: { selector: 'web-*' }, changedAtMs: 1 },
      ],
      overview: (window, nowMs) => {
        world.reads += 1;
        return backend.views.fleet.overview(window, nowMs);
      },
    },
  };
  const people = new Map<string, ApiCredential>();
  const router = new Router(
    routeTable,
    { ...backend, views, nowMs: () => world.nowMs },
    { find: (hash) => people.get(hash), nowMs: () => 0, used: () => undefined },
    undefined,
    pageTable,
  );
  const person = (name: string, more: Partial<ApiCredential> = {}) => {
    const token = `vgot_${name}`;
    const tokenSha256 = createHash('sha256').update(token).digest('hex');
    people.set(tokenSha256, { name, role: 'viewer', tokenSha256, tokenId: name, ...more });
    const ask = (target: string, headers: Record<string, string> = {}, method = 'GET') => {
      const [path = '', query = ''] = target.split('?');
      const all: Record<string, string> = { authorization: `Bearer ${token}`, ...headers };
      return router.handle({
        ...{ method, path, query, body: new Uint8Array(), peerAddress: '127.0.0.1' },
        header: (header) => all[header],
      });
    };
    const end = () => people.delete(tokenSha256);
    return { ask, end };
  };
  return { world, person, live: backend.live };
}

function text({ body }: EdgeResponse): string {
  return typeof body === 'string' ? body : '';
}

t.test(
  'people with the same rights cost one reading, and each has a page of its own',
  async (t) => {
    const { world, person } = setUp();
    const [ann, bob] = [person('zelda'), person('quentin')];
    const pages = await Promise.all([ann, bob, ann, bob].map(({ ask }) => ask('/envoys')));
    t.equal(world.reads, 1);
    t.same(
      pages.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const [annsPage = '', bobsPage = ''] = pages.map(text);
    t.match(annsPage, /web-1[\s\S]*db-1/);
    t.match(annsPage, /view of admin:zelda/);
    t.notMatch(annsPage, /quentin/, 'nothing of another');
    t.match(bobsPage, /view of admin:quentin/);
    t.notMatch(bobsPage, /zelda/);
    const shared = text(await bob.ask('/envoys', part));
    t.notMatch(shared, /zelda|quentin/, 'what is fetched again is of nobody');
  },
);

t.test('nobody gets what was made for one who may see more', async (t) => {
  const { person } = setUp();
  const all = person('ann');
  const some = person('bob', { role: 'none', grants: [{ role: 'viewer', envoys: 'db-*' }] });
  const limited = person('token', { envoys: ['web-*'] });
  const none = person('eve', { permissions: [] });
  for (const headers of [{}, part]) {
    t.match(text(await all.ask('/envoys', headers)), /web-1[\s\S]*db-1/);
    const granted = text(await some.ask('/envoys', headers));
    t.match(granted, /db-1/);
    t.notMatch(granted, /web-1/);
    const bounded = text(await limited.ask('/envoys', headers));
    t.match(bounded, /web-1/);
    t.notMatch(bounded, /db-1/);
    t.equal((await none.ask('/envoys', headers)).status, 403);
    t.equal((await some.ask('/', headers)).status, 303, 'the overview is of the whole fleet');
  }
  all.end();
  t.equal((await all.ask('/envoys', part)).status, 401, 'and a session that ended gets nothing');
});

t.test('who asks because of news gets what knows of it, and the others the same', async (t) => {
  const { world, person, live } = setUp();
  const people = Array.from({ length: 20 }, (_, at) => person(`p${at}`).ask);
  const [ask] = people;
  if (ask === undefined) throw new Error('nobody');
  await ask('/envoys', part);
  world.hostname = 'web-renamed';
  live.tell([{ type: 'envoy.state', atMs: 1, data: {} }]);
  const news = { ...part, 'vigo-news': String(live.journal.newest) };
  const answers = await Promise.all(people.map((ask) => ask('/envoys', news)));
  t.equal(world.reads, 2);
  t.ok(answers.every((answer) => text(answer).includes('web-renamed')));
  await ask('/envoys', part);
  t.equal(world.reads, 3, 'after an act of its own everybody gets it new');
  await ask('/envoys', { ...part, 'vigo-news': 'x'.repeat(30) });
  t.equal(world.reads, 4);
  await ask('/envoys?q=web', news);
  t.equal(world.reads, 5, 'another filter is another page');
});

t.test(
  'an opened page listens from where it was drawn, so that nothing falls between',
  async (t) => {
    const { person, live } = setUp();
    const { ask } = person('ann');
    const drawnAt = live.journal.newest;
    await ask('/envoys');
    live.tell([{ type: 'envoy.state', atMs: 1, data: {} }]);
    t.match(text(await ask('/envoys')), new RegExp(`hx-sse:connect="[^"]*after=${drawnAt}"`));
  },
);

t.test('whoever changes something sees it', async (t) => {
  const { world, person } = setUp();
  const { ask } = person('ann', { role: 'admin' });
  await ask('/envoys');
  await ask('/envoys');
  t.equal(world.reads, 1);
  await ask(`/api/v1/envoys/${knownEnvoy.id}/maintenance`, {}, 'DELETE');
  await ask('/envoys');
  t.equal(world.reads, 2);
});

t.test('a part that would be the same is not sent again, whatever its ages say', async (t) => {
  const { world, person } = setUp();
  const { ask } = person('ann');
  const first = await ask('/envoys', part);
  const { etag = '' } = first.headers;
  t.match(etag, /^W\/"/);
  world.nowMs += 60_000;
  const again = await ask('/envoys', { ...part, 'if-none-match': etag });
  t.same([again.status, again.body, again.headers.etag], [304, '', etag]);
  world.hostname = 'web-renamed';
  const changed = await ask('/envoys', { ...part, 'if-none-match': etag });
  t.equal(changed.status, 200);
  t.not(changed.headers.etag, etag);
  const theirs = person('bob', { envoys: ['db-*'] });
  t.equal((await theirs.ask('/envoys', { ...part, 'if-none-match': etag })).status, 200);
});

t.test('a shared part is compressed for who takes it', async (t) => {
  const { person } = setUp();
  const { ask } = person('ann');
  const plain = await ask('/envoys', part);
  const zipped = await ask('/envoys', { ...part, 'accept-encoding': 'gzip, br' });
  t.equal(zipped.headers['content-encoding'], 'gzip');
  t.match(zipped.headers.vary, 'accept-encoding');
  t.equal(zipped.headers.etag, plain.headers.etag);
  t.equal(gunzipSync(zipped.body as Uint8Array).toString(), text(plain));
  const page = await ask('/envoys', { 'accept-encoding': 'gzip' });
  t.notOk(page.headers['content-encoding'], 'a page has a name on it, and goes out as it is');
});
