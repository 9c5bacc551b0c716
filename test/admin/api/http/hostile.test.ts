import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { isDeeperThan } from '../../../../admin/api/http/read-body.ts';
import type { Problem } from '../../../../admin/api/problem.ts';
import { fc } from '../../../support/property.ts';
import { fakeBackend } from '../fake-backend.ts';
import { waitFor, watchEvents, watchSocket } from '../support/event-reader.ts';
import { openApi } from '../support/open-api.ts';

const backend = fakeBackend();
const api = await openApi(t, backend);
const admin = api.allow('vgot_admin', 'admin');
const json = { ...admin, 'content-type': 'application/json' };
const tokens = '/api/v1/tokens';
const valid = JSON.stringify({ match: ['web-*'] });

/** Sends bytes as they are; returns everything that comes back until the end. */
async function raw(...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = await open();
  for (const part of parts) socket.write(part);
  return await answerOf(socket);
}

async function open({ port, ca } = api): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

function answerOf(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

const head = (lines: readonly string[]) =>
  `${[...lines, `Authorization: ${admin.authorization}`, 'Connection: close'].join('\r\n')}\r\n\r\n`;

t.test('bodies that are too much, or no JSON of ours, are refused with a code', async (t) => {
  const before = backend.asked.length;
  const deep = `{"match":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  const bomb = gzipSync(Buffer.alloc(100_000_000)).toString('latin1');
  const cases: [string, Record<string, string>, string, number, string][] = [
    ['cut off', json, '{"match":["a"', 400, 'API_BAD_REQUEST'],
    ['an array', json, '[]', 400, 'API_BAD_REQUEST'],
    ['text', json, '"match"', 400, 'API_BAD_REQUEST'],
    ['unknown field', json, '{"match":["a"],"admin":true}', 400, 'API_BAD_REQUEST'],
    ['prototype', json, '{"match":["a"],"__proto__":{"role":"admin"}}', 400, 'API_BAD_REQUEST'],
    ['constructor', json, '{"match":["a"],"constructor":{}}', 400, 'API_BAD_REQUEST'],
    ['who did it', json, '{"match":["a"],"by":"admin:somebody"}', 400, 'API_BAD_REQUEST'],
    ['deep', json, deep, 400, 'API_BODY_TOO_DEEP'],
    ['large', json, `{"match":["${'x'.repeat(1_100_000)}"]}`, 413, 'API_TOO_LARGE'],
    ['a form', { ...admin, 'content-type': 'text/plain' }, valid, 415, 'API_BODY_TYPE'],
    ['a gzip bomb', { ...json, 'content-encoding': 'gzip' }, bomb, 415, 'API_BODY_TYPE'],
    [
      'a method',
      { ...json, 'x-http-method-override': 'DELETE' },
      valid,
      400,
      'API_METHOD_OVERRIDE',
    ],
  ];
  for (const [name, headers, body, status, code] of cases) {
    const answer = await api.call('POST', tokens, headers, body);
    const problem = JSON.parse(answer.text) as Problem;
    t.same([answer.status, problem.code], [status, code], name);
    t.ok(problem.remedy.length > 10, `${name}: says what to do`);
  }
  const notUtf8 = await raw(
    head([
      `POST ${tokens} HTTP/1.1`,
      'Host: x',
      'Content-Length: 15',
      'Content-Type: application/json',
    ]),
    Buffer.from('{"match":["\xff"]}', 'latin1'),
  );
  t.match(notUtf8, /^HTTP\/1\.1 400 [\s\S]*API_BAD_REQUEST/);
  t.equal(backend.asked.length, before, 'and no actor was asked');
});

t.test('depth is what a parser would find', (t) => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
      : 0;
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 0, max: 6 }), (text, most) => {
      return isDeeperThan(Buffer.from(text), most) === depthOf(JSON.parse(text)) > most;
    }),
  );
  t.end();
});

t.test('what a proxy and we could read differently is refused', async (t) => {
  const repeated = [
    ['Host: a', 'Host: b'],
    ['Host: a', 'Content-Type: application/json', 'Content-Type: text/plain'],
    ['Host: a', 'Origin: https://a', 'Origin: https://b'],
    ['Host: a', 'Authorization: Bearer vgot_other'],
    ['Host: a', 'Idempotency-Key: 1', 'Idempotency-Key: 2'],
  ];
  for (const lines of repeated) {
    const answer = await raw(head([`GET ${tokens} HTTP/1.1`, ...lines]));
    t.match(
      answer,
      /^HTTP\/1\.1 400 [\s\S]*"code":"API_(HEADER_REPEATED|MALFORMED)"/,
      lines.join(),
    );
  }
  const smuggled = [
    ['Content-Length: 5', 'Content-Length: 6'],
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding: xchunked'],
    ['Bad Header: x'],
    ['X: a\u0000b'],
  ];
  for (const lines of smuggled) {
    const answer = await raw(head([`POST ${tokens} HTTP/1.1`, 'Host: a', ...lines]), '0\r\n\r\n');
    t.match(answer, /^HTTP\/1\.1 400 [\s\S]*"code":"API_MALFORMED"/, lines.join());
  }
  t.match(
    await raw(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
    /431.*[\s\S]*API_HEAD_TOO_LARGE/,
  );
  t.match(await raw('\u0016\u0003\u0001 nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*API_MALFORMED/);
  const twice = await api.call('GET', `${tokens}?limit=1&limit=2`, admin);
  t.match(JSON.parse(twice.text), { status: 400, code: 'API_BAD_REQUEST' });
});

t.test('no trick with the path leads anywhere else', async (t) => {
  const tricks = [
    '/api/v1/../v1/tokens',
    '/api/v1/%2e%2e/tokens',
    '//api/v1/tokens',
    '/api/v1/tokens/',
    '/api/v1/tokens%2f',
    '/API/V1/TOKENS',
    '/api/v1/tokens;admin=1',
    '/api/v1/envoys/%2e%2e%2fstatus',
    '/api/v1/envoys/..%5cstatus',
    '/api/v1/envoys/a%00b',
    '/api/v1/envoys/%0d%0aset-cookie:x',
    '/api/v1/envoys/%ff',
    '/agent/..%2f..%2fetc%2fpasswd',
    '/schema/..%2fmodule.json',
    `/api/v1/envoys/${'a'.repeat(3_000)}`,
    `/api/v1/envoys?selector=${'a'.repeat(15_000)}`,
    'https://evil.example/api/v1/tokens',
  ];
  for (const path of tricks) {
    const answer = await raw(head([`GET ${path} HTTP/1.1`, 'Host: a']));
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
    t.ok(status >= 400 && status < 500, `${path.slice(0, 60)}: ${status}`);
    t.match(answer, /"code":"[A-Z_]+"/, path.slice(0, 60));
  }
  for (const method of ['TRACE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
    const answer = await raw(head([`${method} ${tokens} HTTP/1.1`, 'Host: a']));
    t.match(answer, /^HTTP\/1\.1 405 [\s\S]*API_METHOD_NOT_ALLOWED/, method);
  }
});

t.test('who sends slowly is told so and cut off', async (t) => {
  const limits = { headersTimeoutMs: 300, requestTimeoutMs: 600 };
  const strict = await openApi(t, fakeBackend(), limits);
  const slowHead = await open(strict);
  const slowBody = await open(strict);
  const ends = [answerOf(slowHead), answerOf(slowBody)];
  slowHead.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
  slowBody.write(head([`POST ${tokens} HTTP/1.1`, 'Host: a', 'Content-Length: 100']));
  for (const end of ends) t.match(await end, /^HTTP\/1\.1 408 [\s\S]*"code":"API_TOO_SLOW"/);
});

t.test('one address cannot take every connection', async (t) => {
  const small = await openApi(t, fakeBackend(), { connectionsPerAddressMax: 3 });
  const sockets = Array.from({ length: 12 }, () => {
    const socket = connect({ host: '127.0.0.1', port: small.port, ca: small.ca });
    let state: 'new' | 'open' | 'closed' = 'new';
    socket.on('error', () => undefined);
    socket.once('secureConnect', () => {
      state = 'open';
    });
    socket.once('close', () => {
      state = 'closed';
    });
    return { socket, state: () => state };
  });
  const counted = (wanted: string) => sockets.filter(({ state }) => state() === wanted).length;
  await waitFor('all to be decided', () => counted('new') === 0);
  await waitFor('the rest to be refused', () => counted('closed') === 9);
  t.equal(counted('open'), 3);
  for (const { socket } of sockets) socket.destroy();
  await waitFor('room', () => counted('closed') === 12);
  let answered = false;
  await waitFor('its place', () => {
    small.call('GET', '/healthz').then(
      ({ status }) => {
        answered ||= status === 200;
      },
      () => undefined,
    );
    return answered;
  });
});

t.test('a WebSocket that breaks the protocol is closed; its neighbours stay', async (t) => {
  const calm = await watchSocket(api, '/api/v1/events', admin);
  const upgrade = [
    'GET /api/v1/events HTTP/1.1',
    'Host: a',
    `Authorization: ${admin.authorization}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  const frames: [string, Buffer][] = [
    ['unmasked', Buffer.from([0x81, 0x02, 0x68, 0x69])],
    ['reserved bits', Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
    ['a gigabyte promised', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4])],
    ['a control frame in parts', Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
    ['no such frame', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
  ];
  for (const [name, frame] of frames) {
    const answer = await raw(`${upgrade.join('\r\n')}\r\n\r\n`, frame);
    t.match(answer, /^HTTP\/1\.1 101 /, name);
  }
  t.notOk(calm.ended());
  calm.close();
  await waitFor('the viewers to go', () => backend.live.viewers === 0);
});

t.test('two tabs of one person both get every event', async (t) => {
  const tabs = [
    await watchEvents(api, '/api/v1/events', admin),
    await watchEvents(api, '/api/v1/events', admin),
  ];
  for (let at = 0; at < 20; at++) {
    backend.live.tell([{ type: 'policy.published', atMs: at, data: { version: at } }]);
  }
  for (const { until, seen, close } of tabs) {
    await until((events) => events.length >= 21);
    t.equal(new Set(seen.map(({ id }) => id)).size, 21);
    close();
  }
});
