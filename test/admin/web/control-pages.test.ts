/**
 * The pages on policy, plans, approvals, rollouts, tokens, audit, people, releases and the server
 * itself, through the router and the API's own handlers.
 */
import t from 'tap';
import { readExport } from '../../../actors/audit/export.ts';
import { StreamBody } from '../../../admin/api/http-edge.ts';
import { controlPaths, controlSite } from './control-site.ts';
import { controlWorld } from './control-world.ts';

const hostile = '"><img src=x onerror=alert(1)>\u001b[31m\u202e{{7*7}}&amp;';
const plain = controlWorld('app');
const empty = {
  ...plain,
  versions: [],
  tokens: [],
  accounts: [],
  apiTokens: [],
  secrets: [],
};

const bodyOf = async (site: ReturnType<typeof controlSite>, path: string) =>
  String((await site.get(path)).body);

/** Opening tags of the whole document. */
function tagsOf(markup: string): { tag: string; attributes: string }[] {
  const found = markup.matchAll(/<([a-z][\w-]*)((?:\s+[^\s=>]+(?:="[^"]*"|='[^']*')?)*)\s*\/?>/g);
  return [...found].map(([, tag = '', attributes = '']) => ({ tag, attributes }));
}

const attributeOf = (attributes: string, name: string) =>
  new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];

t.test('whatever people and machines wrote is text on every page', async (t) => {
  const site = controlSite(controlWorld(hostile));
  for (const path of controlPaths) {
    const { status } = await site.get(path);
    const markup = await bodyOf(site, path);
    t.equal(status, 200, path);
    t.notMatch(markup, /<img|\son\w+="/, `${path}: no element and no handler of theirs`);
    const steering = ['\u001b', '\u202e'].filter((character) => markup.includes(character));
    t.same(steering, [], `${path}: nothing that steers a terminal or a line`);
    t.notMatch(markup, /\sstyle=|<style|<script(?![^>]*\ssrc=)/, `${path}: as its policy wants`);
  }
});

t.test('who reads by ear or by keyboard finds every name that a page refers to', async (t) => {
  const site = controlSite(plain);
  const references = [
    'aria-labelledby',
    'aria-describedby',
    'data-dialog',
    'data-show',
    'data-copy',
  ];
  for (const path of controlPaths) {
    const tags = tagsOf(await bodyOf(site, path));
    const all = (name: string) =>
      tags.flatMap(({ attributes }) => attributeOf(attributes, name) ?? []);
    const ids = all('id');
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
    t.same(twice, [], `${path}: no id stands twice`);
    const wanted = references.flatMap(all).flatMap((list) => list.split(' '));
    const missing = wanted.filter((id) => !ids.includes(id));
    t.same(missing, [], `${path}: nothing is referred to that is not there`);
    const labelled = new Set(all('for'));
    const nameless = tags
      .filter(({ tag }) => /^(input|select|textarea)$/.test(tag))
      .filter(({ attributes }) => attributeOf(attributes, 'type') !== 'hidden')
      .filter(({ attributes }) => !labelled.has(attributeOf(attributes, 'id') ?? ''))
      .filter(({ attributes }) => attributeOf(attributes, 'aria-label') === undefined);
    t.same(nameless, [], `${path}: every field has a label`);
  }
});

t.test(
  'every call of a form or a button is a route of the API, and takes what it sends',
  async (t) => {
    const site = controlSite(plain);
    const calls = new Set<string>();
    for (const path of controlPaths) {
      for (const { attributes } of tagsOf(await bodyOf(site, path))) {
        const call = attributeOf(attributes, 'data-api');
        if (call !== undefined) calls.add(call);
      }
    }
    t.ok(calls.size > 20, `${calls.size} calls`);
    for (const call of calls) {
      const [method = '', path = ''] = call.split(' ');
      const { status } = await site.send(method, path, {});
      t.notOk(status === 404 || status === 405, `${call}: ${status}`);
    }
  },
);

t.test('nobody approves what they published, and each is told why', async (t) => {
  const own = await bodyOf(controlSite(plain, 'admin', 'alice'), '/approvals');
  t.notMatch(own, /config\/approve/);
  t.match(own, /Somebody else has to approve it/);
  t.match(own, /config\/reject/, 'but it can be taken back');
  const other = await bodyOf(controlSite(plain, 'approver'), '/approvals');
  t.match(other, /data-api="POST \/api\/v1\/config\/approve"/);
  t.match(
    other,
    new RegExp(`name="contentHash" value="${plain.status.contentHash}"`),
    'of what is seen',
  );
  const viewer = await bodyOf(controlSite(plain, 'viewer'), '/approvals');
  t.notMatch(viewer, /data-api="POST \/api\/v1\/config/);
  t.match(viewer, /Your role does not approve/);
});

t.test('a page offers what its reader may do, and no more', async (t) => {
  const sites = {
    viewer: controlSite(plain, 'viewer'),
    operator: controlSite(plain, 'operator'),
    auditor: controlSite(plain, 'auditor'),
  };
  const offers = async (role: 'viewer' | 'operator' | 'auditor', path: string) =>
    [...(await bodyOf(sites[role], path)).matchAll(/data-api="(\w+ \/api\/v1\/[^"]*)"/g)]
      .map(([, call]) => call)
      .filter((call) => call !== 'DELETE /api/v1/session');
  for (const path of controlPaths.filter((each) => !each.startsWith('/people')))
    t.same(await offers('viewer', path), [], `${path}: a viewer changes nothing`);
  t.match((await offers('operator', '/rollout')).join(), 'POST /api/v1/config/rollout/pause');
  t.same(await offers('auditor', '/people/alice'), [], 'an auditor reads');
  const refused = await sites.viewer.get('/people');
  t.equal(refused.status, 403);
  t.notMatch(await bodyOf(sites.viewer, '/policy'), /href="\/people"/);
});

t.test('values of secrets and tokens are on no page', async (t) => {
  const secrets = await bodyOf(controlSite(plain), '/secrets');
  t.match(secrets, 'db/app');
  t.notMatch(secrets, /<form(?! class="search")[^>]*data-api|secrets\/reveal"/);
  t.notMatch(await bodyOf(controlSite(plain), '/enrollment'), 'vigo-token-x');
});

t.test('a rollout says where it stands, and its page listens for what moves it', async (t) => {
  const page = await bodyOf(controlSite(plain), '/rollout');
  t.match(page, /aria-current="step"[\s\S]*25%/);
  t.match(page, /96 healthy, 18 to report, 1 failing as before, 2 failing, 1 silent, 2 offline/);
  t.match(page, /hx-sse:connect="\/api\/v1\/events\?type=[^"]*run\.finished/);
  t.match(page, /hx-trigger="news from:body/, 'and is told only that there is news');
  const steps = [...page.matchAll(/href="\/audit\/(\d+)"/g)].map(([, sequence]) => sequence);
  t.same(steps, ['34', '33', '32', '31'], 'its steps, newest first');
});

t.test('who approved comes to the rollout, or to the version when there is none', async (t) => {
  const approver = await bodyOf(controlSite(plain, 'approver'), '/approvals');
  t.match(approver, 'data-then="/rollout?of={version}"');
  const { version } = plain.rollout;
  t.equal((await controlSite(plain).get(`/rollout?of=${version}`)).status, 200);
  const atOnce = await controlSite(plain).get(`/rollout?of=${version + 1}`);
  t.match(atOnce, { status: 303, headers: { location: `/policy/${version + 1}` } });
});

t.test('the audit log pages backwards, and an entry comes with its proof', async (t) => {
  const site = controlSite(plain);
  const rows = (markup: string) =>
    [...markup.matchAll(/id="entry-(\d+)"/g)].map(([, each]) => Number(each));
  t.equal(rows(await bodyOf(site, '/audit'))[0], 34);
  t.equal(rows(await bodyOf(site, '/audit?before=10'))[0], 9);
  t.same(rows(await bodyOf(site, '/audit?type=rollout.*')), [34, 33, 32, 31]);
  const entry = await bodyOf(site, '/audit/30');
  t.match(entry, /data-audit-proof="[^"]*&quot;index&quot;:29/);
  t.equal((await site.get('/audit/99')).status, 404);
});

t.test(
  'a server on which nothing happened yet explains itself instead of showing empty tables',
  async (t) => {
    const site = controlSite(empty);
    for (const path of ['/enrollment', '/people', '/people/tokens', '/secrets'])
      t.match(await bodyOf(site, path), /class="empty"/, path);
  },
);

t.test('the export of the audit log is the file that vigocli audit verify reads', async (t) => {
  const { body, headers } = await controlSite(plain).get('/audit/export.jsonl');
  t.match(headers['content-disposition'], 'attachment');
  if (!(body instanceof StreamBody)) return t.fail('it is streamed');
  const text = (await body.stream.toArray()).join('');
  const sizes: number[] = [];
  const rows = readExport(
    (async function* () {
      yield* text.split('\n');
    })(),
    'export',
    ({ size }) => sizes.push(size),
  );
  const sequences = [];
  for await (const { sequence } of rows) sequences.push(sequence);
  t.same(sizes, [34]);
  t.same(
    sequences,
    plain.log.entries.map(({ sequence }) => sequence),
  );
});
