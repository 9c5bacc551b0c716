import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { request } from 'node:https';
import t from 'tap';
import type { Problem } from '../../admin/api/problem.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';

const envoyTotal = 7;
const runsPerEnvoy = 2;

const server = await TestServer.make(t, { shards: 1 });
const envoys = await server.provision(envoyTotal);
const { grpcPort, apiPort } = await server.start();
const { layout } = server.home;
const ca = readFileSync(layout.caCertificate, 'utf8');
const token = readFileSync(layout.adminToken, 'utf8').trim();
const database = new TestDatabase(layout.database);
t.teardown(() => envoys.forEach((envoy) => void envoy.close()));

interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function send<Body>(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  return new Promise((resolve, reject) => {
    const authorization = `Bearer ${token}`;
    const options = { host: '127.0.0.1', port: apiPort, method, path, ca, agent: false };
    const sent = request({ ...options, headers: { authorization, ...headers } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        resolve({ status, body: JSON.parse(text) as Body, headers: answer.headers });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Walks a listing to its end; returns the items of each page. */
async function pages<Row>(path: string, cursorName: string): Promise<Row[][]> {
  const found: Row[][] = [];
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? '' : `&${cursorName}=${encodeURIComponent(cursor)}`;
    const { status, body } = await send<{ items: Row[]; next?: string }>('GET', path + from);
    t.equal(status, 200, path);
    found.push([...body.items]);
    cursor = body.next;
  } while (cursor !== undefined && found.length < 100);
  return found;
}

t.test('cursors walk every row once, in order, also while rows arrive', async (t) => {
  for (const envoy of envoys) {
    envoy.moveTo(grpcPort);
    for (let run = 0; run < runsPerEnvoy; run++) {
      await envoy.report({ runId: Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex') });
    }
  }
  const total = envoyTotal * runsPerEnvoy;
  t.ok(await eventually(() => database.rows('SELECT 1 FROM runs').length === total));

  const byHost = await pages<{ hostname: string }>('/api/v1/envoys?limit=2', 'cursor');
  t.same(
    byHost.map((page) => page.length),
    [2, 2, 2, 1],
  );
  const expected = Array.from({ length: envoyTotal }, (_, index) => `host-${index}`);
  t.same(
    byHost.flat().map(({ hostname }) => hostname),
    expected,
  );

  const first = await send<{ items: { id: string }[]; next: string }>(
    'GET',
    '/api/v1/runs?limit=3',
  );
  await envoys[0]?.report({ runId: Buffer.alloc(16, 250) });
  t.ok(await eventually(() => database.rows('SELECT 1 FROM runs').length === total + 1));
  const behind = `/api/v1/runs?limit=3&cursor=${first.body.next}`;
  const second = await send<{ items: { id: string }[] }>('GET', behind);
  const firstIds = new Set(first.body.items.map(({ id }) => id));
  t.notOk(
    second.body.items.some(({ id }) => firstIds.has(id)),
    'a new run shifts no page',
  );
  const runs = (
    await pages<{ id: string; startedAtMs: number }>(`/api/v1/runs?limit=4`, 'cursor')
  ).flat();
  t.equal(new Set(runs.map(({ id }) => id)).size, total + 1);

  for (let count = 0; count < 5; count++) {
    await send('POST', '/api/v1/tokens', JSON.stringify({ match: [`web-${count}`] }));
  }
  const audit = (await pages<{ sequence: number }>('/api/v1/audit?limit=2', 'after')).flat();
  t.same(
    audit.map(({ sequence }) => sequence),
    audit.map((_, index) => index + 1),
  );
});

t.test('DELETE of a token may be repeated and changes something once', async (t) => {
  const made = await send<{ id: string }>('POST', '/api/v1/tokens', '{"match":["x"]}');
  t.equal(made.status, 200);
  const path = `/api/v1/tokens/${made.body.id}`;
  for (let time = 0; time < 3; time++) {
    const { status, body } = await send('DELETE', path);
    t.equal(status, 200);
    t.same(body, { revoked: made.body.id });
  }
  const types = database.auditTypes().filter((type) => type === 'token.revoked');
  t.equal(types.length, 1, 'one audit event');
  t.equal((await send<Problem>('DELETE', '/api/v1/tokens/none')).body.code, 'API_NOT_FOUND');
});

t.test('what does not fit is a problem document with a remedy and a trace id', async (t) => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const large = await send<Problem>('POST', '/api/v1/tokens', 'x'.repeat(2 * 1024 * 1024));
  t.match(large.body, { code: 'API_TOO_LARGE', status: 413 });
  t.equal(large.status, 413);
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
  const wrong = await send<Problem>('GET', '/api/v1/runs?state=green', undefined, { traceparent });
  t.match(wrong.body, { code: 'API_BAD_REQUEST', status: 400, traceId: trace });
  t.match(wrong.body.detail, /query\/state must be one of converged, changed/);
  t.equal(wrong.headers['x-trace-id'], trace);
  t.match(String(wrong.headers['content-type']), /^application\/problem\+json/);
  const stranger = await send<Problem>('GET', '/api/v1/status', undefined, { authorization: 'x' });
  t.equal(stranger.status, 401);
  t.equal(stranger.headers['www-authenticate'], 'Bearer');
  t.same((await send('GET', '/healthz', undefined, { authorization: 'x' })).body, { ok: true });
});

t.test('D16: a server that runs is healthy, and its database is where its home says', async (t) => {
  t.match(await send('GET', '/healthz'), { status: 200, body: { ok: true } });
  const descriptors = `/proc/${server.process?.pid}/fd`;
  const open = readdirSync(descriptors).flatMap((name) => {
    try {
      return [readlinkSync(`${descriptors}/${name}`)];
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
  const databases = open.filter((path) => /\.(db|mdb)(-wal|-shm)?$/.test(path));
  t.ok(databases.includes(realpathSync(layout.database)));
  const home = realpathSync(server.directory);
  t.same(
    databases.filter((path) => !path.startsWith(`${home}/`)),
    [],
    'nothing is kept outside of the home',
  );
});
