import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import { refusalResponse } from '../../../admin/api/http/respond.ts';
import { type EdgeLimits, edgeLimits, openNodeEdge } from '../../../admin/api/node-edge.ts';
import { type TestAuthority, testAuthority } from '../../support/test-authority.ts';

const bodyBytesMax = 1000;
const attemptsMax = 500;
const authority: TestAuthority = await testAuthority();
const ca = authority.authority.certificatePem;

async function setUp(
  t: { teardown(run: () => Promise<void>): void },
  limits: Partial<EdgeLimits> = {},
) {
  const seen: number[] = [];
  const edge = await openNodeEdge(
    {
      host: '127.0.0.1',
      port: 0,
      certificatePem: authority.serverCertificate,
      keyPem: authority.serverKey,
      bodyBytesMax: () => bodyBytesMax,
      handle: async ({ body }) => {
        seen.push(body.length);
        return { status: 200, headers: {}, body: `took ${body.length}` };
      },
      malformed: refusalResponse,
      tooLarge: { status: 413, headers: { 'x-code': 'API_TOO_LARGE' }, body: 'too large' },
    },
    { ...edgeLimits, drainMs: 20, ...limits },
  );
  t.teardown(() => edge.close());
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', port: edge.port, ca });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  };
  return { edge, open, seen };
}

/** Also when it ends with an error, which events.once would throw. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Everything that comes until the other side ends the connection. */
async function answerOf(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await closed(socket);
  return text;
}

const head = 'POST / HTTP/1.1\r\nHost: x\r\n';

t.test('a body that is too large gets an answer, however it comes', async (t) => {
  const { open, seen } = await setUp(t);
  const announced = await open();
  announced.write(`${head}Content-Length: 1000000000\r\n\r\n`);
  t.match(await answerOf(announced), /^HTTP\/1\.1 413 [\s\S]*x-code: API_TOO_LARGE/, 'at once');

  const chunked = await open();
  chunked.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const answer = answerOf(chunked);
  for (let sent = 0; sent < 4; sent++) chunked.write(`200\r\n${'x'.repeat(512)}\r\n`);
  t.match(await answer, /^HTTP\/1\.1 413 /, 'in the middle');
  t.same(seen, [], 'and no route saw it');

  const fitting = await open();
  fitting.write(`${head}Connection: close\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}`);
  t.match(await answerOf(fitting), /200 OK[\s\S]*took 1000/, 'the limit itself is allowed');
});

t.test('who dawdles is cut off, and others are served meanwhile', async (t) => {
  const limits = { headersTimeoutMs: 200, requestTimeoutMs: 400, handshakeTimeoutMs: 200 };
  const { edge, open } = await setUp(t, limits);
  const slowHead = await open();
  slowHead.write('POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const slowBody = await open();
  slowBody.write(`${head}Content-Length: 10\r\n\r\nx`);
  const silent = connectTcp({ host: '127.0.0.1', port: edge.port });
  silent.on('error', () => {}).resume();
  const ends = [answerOf(slowHead), answerOf(slowBody), closed(silent)] as const;
  const quick = await open();
  quick.write(`${head}Connection: close\r\nContent-Length: 1\r\n\r\nx`);
  t.match(await answerOf(quick), /200 OK/);
  t.match(await ends[0], /^HTTP\/1\.1 408 /, 'slow headers');
  t.match(await ends[1], /^HTTP\/1\.1 408 /, 'slow body');
  await ends[2];
  t.pass('no handshake');
});

t.test('connections beyond the limit are refused until one ends', async (t) => {
  const { edge, open } = await setUp(t, { connectionsMax: 2 });
  const [first] = await Promise.all([open(), open()]);
  const third = connect({ host: '127.0.0.1', port: edge.port, ca });
  third.on('error', () => {});
  await closed(third);
  t.pass('the third is turned away');
  first?.end();
  if (first) await closed(first);
  let next: TLSSocket | undefined;
  for (let attempt = 0; attempt < attemptsMax && !next; attempt++) {
    next = await open().catch(() => undefined);
  }
  next?.write(`${head}Connection: close\r\nContent-Length: 1\r\n\r\nx`);
  t.match(next && (await answerOf(next)), /200 OK/, 'its place is free again');
});

t.test('TLS 1.2, plain HTTP, huge headers and nonsense are refused', async (t) => {
  const { edge, open } = await setUp(t);
  const old = connect({ host: '127.0.0.1', port: edge.port, ca, maxVersion: 'TLSv1.2' });
  const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
  t.match(error.code, /PROTOCOL_VERSION/);
  const plain = connectTcp({ host: '127.0.0.1', port: edge.port });
  let received = '';
  plain.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  plain.on('error', () => {}).write(`${head}\r\n`);
  await closed(plain);
  t.notMatch(received, /HTTP/);
  const huge = await open();
  huge.write(`${head}X: ${'x'.repeat(100_000)}\r\n\r\n`);
  t.match(await answerOf(huge), /^HTTP\/1\.1 431 /);
  const nonsense = await open();
  nonsense.write('\u0000\u0001\u0002 nonsense\r\n\r\n');
  t.match(await answerOf(nonsense), /^HTTP\/1\.1 400 /);
});

t.test('a peer that goes away in the middle of its body troubles nobody', async (t) => {
  const { open, seen } = await setUp(t);
  const gone = await open();
  gone.write(`${head}Content-Length: 100\r\n\r\nx`);
  gone.destroy();
  const next = await open();
  next.write(`${head}Connection: close\r\nContent-Length: 1\r\n\r\nx`);
  t.match(await answerOf(next), /200 OK/);
  t.same(seen, [1]);
});

t.test(
  'people who keep their connection lose it to those who need one, and not before',
  async (t) => {
    const { open } = await setUp(t, { connectionsPerAddressMax: 4 });
    const ask = async (socket: TLSSocket): Promise<string> => {
      socket.write(`${head}Content-Length: 0\r\n\r\n`);
      return String((await once(socket, 'data'))[0]);
    };
    const first = await open();
    t.match(await ask(first), /200 OK/);
    const second = await open();
    t.match(await ask(first), /200 OK/, 'the same connection serves again, without a handshake');
    const wayOut = closed(first);
    const third = await open();
    t.match(await ask(second), /200 OK/, 'three of four are not crowded');
    await open();
    await wayOut;
    t.match(await ask(third), /200 OK/, 'who has not asked yet is not idle');
  },
);
