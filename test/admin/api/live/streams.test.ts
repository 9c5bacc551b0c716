import { request } from 'node:https';
import t from 'tap';
import { fakeBackend } from '../fake-backend.ts';
import { waitFor, watchEvents, watchSocket } from '../support/event-reader.ts';
import { openApi } from '../support/open-api.ts';

const path = '/api/v1/events';
const backend = fakeBackend();
const { live } = backend;
const api = await openApi(t, backend);
const admin = api.allow('vgot_admin', 'admin');
const published = { type: 'policy.published', atMs: 5, data: { version: 3 } };

t.test('the same events come as server-sent events, over WebSocket and as a page', async (t) => {
  const stream = await watchEvents(api, path, admin);
  const socket = await watchSocket(api, path, admin);
  live.tell([published]);
  for (const watcher of [stream, socket]) {
    await watcher.until((seen) => seen.length >= 2);
    t.match(watcher.seen, [{ type: 'hello' }, { type: 'policy.published', data: { version: 3 } }]);
  }
  const after = stream.seen[0]?.id ?? 0;
  const page = JSON.parse((await api.call('GET', `${path}?after=${after}`, admin)).text);
  t.match(page, { items: [stream.seen[1]], next: after + 1 });
  stream.close();
  socket.close();
  await waitFor('the viewers to go', () => live.viewers === 0);
});

t.test('a browser that comes back tells its last id in a header, and misses nothing', async (t) => {
  live.tell([published]);
  const last = live.journal.newest - 1;
  const back = await watchEvents(api, path, { ...admin, 'last-event-id': String(last) });
  await back.until((seen) => seen.length >= 2);
  t.match(back.seen, [
    { type: 'hello', id: last },
    { type: 'policy.published', id: last + 1 },
  ]);
  back.close();
  const lost = await watchSocket(api, `${path}?after=7`, admin);
  await lost.until((seen) => seen.length >= 1);
  t.match(lost.seen, [{ type: 'reset', code: 'EVENTS_GAP' }]);
  lost.close();
  const page = await api.call('GET', `${path}?after=7`, admin);
  t.match(JSON.parse(page.text), { status: 410, code: 'EVENTS_GAP' });
  const wrong = await api.call('GET', path, { ...admin, 'last-event-id': 'x' });
  t.match(JSON.parse(wrong.text), { code: 'API_BAD_REQUEST' });
});

t.test('D15: a revoked token ends what was opened with it', async (t) => {
  const headers = api.allow('vgot_short', 'viewer');
  const stream = await watchEvents(api, path, headers);
  const socket = await watchSocket(api, path, headers);
  api.allow('vgot_short', 'viewer', { revokedAtMs: 1 });
  live.tell([{ type: 'access.token_revoked', atMs: 1, data: {} }]);
  await waitFor('both to end', () => stream.ended() && socket.ended());
  t.match(stream.seen.at(-1), { type: 'end', code: 'EVENTS_CREDENTIAL_ENDED' });
  t.same([socket.code(), socket.why()], [1008, 'EVENTS_CREDENTIAL_ENDED']);
  t.equal((await api.call('GET', path, headers)).status, 401);
});

t.test('strangers, other sites and other protocols get no stream', async (t) => {
  const upgrade = (headers: Record<string, string>, target = path) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: api.port,
          ca: api.ca,
          agent: false,
          path: target,
          headers: {
            connection: 'Upgrade',
            upgrade: 'websocket',
            'sec-websocket-version': '13',
            'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
            ...headers,
          },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      asked.on('upgrade', (_answer, socket) => {
        socket.destroy();
        resolve({ status: 101, text: '' });
      });
      asked.on('error', reject).end();
    });
  const session = api.allow('vgos_session', 'admin');
  const cookie = { cookie: `__Host-vigo_session=${session.authorization.slice(7)}` };
  const origin = `https://127.0.0.1:${api.port}`;
  const cases: [string, Record<string, string>, string, number, string][] = [
    ['no token', {}, path, 401, 'API_UNAUTHENTICATED'],
    ['wrong token', { authorization: 'Bearer vgot_wrong' }, path, 401, 'API_UNAUTHENTICATED'],
    ['another site', { ...cookie, origin: 'https://evil.example' }, path, 403, 'API_CROSS_SITE'],
    ['a cookie, no Origin', cookie, path, 403, 'API_CROSS_SITE'],
    ['our own page', { ...cookie, origin }, path, 101, ''],
    ['another path', admin, '/api/v1/envoys', 400, 'EVENTS_NO_WEBSOCKET'],
    ['old version', { ...admin, 'sec-websocket-version': '8' }, path, 400, 'EVENTS_NO_WEBSOCKET'],
    ['other protocol', { ...admin, upgrade: 'h2c' }, path, 400, 'EVENTS_NO_WEBSOCKET'],
  ];
  for (const [name, headers, target, status, code] of cases) {
    const got = await upgrade(headers, target);
    t.equal(got.status, status, name);
    t.match(got.text, code, name);
  }
  await waitFor('the viewer to go', () => live.viewers === 0);
});

t.test('a viewer that talks or floods is let go, and others stay', async (t) => {
  const calm = await watchSocket(api, path, admin);
  const talker = await watchSocket(api, path, admin);
  talker.socket.send('{"please":"more"}');
  await waitFor('the talker to be let go', talker.ended);
  t.same([talker.code(), talker.why()], [1008, 'EVENTS_READ_ONLY']);
  const pinger = await watchSocket(api, path, admin);
  for (let sent = 0; sent < 200; sent++) pinger.socket.ping();
  await waitFor('the pinger to be let go', pinger.ended);
  t.equal(pinger.why(), 'EVENTS_READ_ONLY');
  const big = await watchSocket(api, path, admin);
  big.socket.send('x'.repeat(2_000));
  await waitFor('the big frame to end it', big.ended);
  t.equal(big.code(), 1009);
  live.tell([published]);
  await calm.until((seen) => seen.some(({ type }) => type === 'policy.published'));
  t.notOk(calm.ended());
  calm.close();
  await waitFor('the viewers to go', () => live.viewers === 0);
});
