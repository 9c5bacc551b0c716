import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { nodeClock } from '../../../../runtime/ports/node-clock.ts';
import { testAuthority, testIdentity } from '../../../support/test-authority.ts';
import { tlsListener } from '../../../support/tls-listener.ts';

const ours = await testAuthority();
const identity = await testIdentity(ours);
const chacha = 'TLS_CHACHA20_POLY1305_SHA256';
const aes = 'TLS_AES_256_GCM_SHA384';

function client(t: Test, options: ConnectionOptions): TLSSocket {
  const socket = connectTls({
    host: '127.0.0.1',
    servername: 'localhost',
    ca: ours.authority.certificatePem,
    cert: identity.certificate,
    key: identity.key,
    ALPNProtocols: ['h2'],
    ...options,
  });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** What comes back of so many bytes. */
async function echoed(socket: TLSSocket, bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const whole = new Promise<void>((resolve) => {
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length >= bytes.length) resolve();
    });
  });
  socket.write(bytes);
  await whole;
  return Buffer.concat(parts);
}

async function eventually(done: () => boolean): Promise<void> {
  while (!done()) await sleep(5);
}

const peers: Record<string, [ConnectionOptions, 'vigo' | 'openssl', string]> = {
  'an agent': [{}, 'vigo', chacha],
  'a peer without our cipher': [{ ciphers: aes }, 'vigo', aes],
  'an agent of a server that leaves the records to OpenSSL': [{}, 'openssl', aes],
};

for (const [name, [options, tlsRecords, cipher]] of Object.entries(peers)) {
  t.test(`${name} is known by its certificate, and loses nothing`, async (t) => {
    const { port, accepted, closed } = await tlsListener(t, ours, { tlsRecords });
    const socket = client(t, { port, ...options });
    await once(socket, 'secureConnect');
    t.equal(socket.getCipher().standardName, cipher);
    const bytes = Buffer.alloc(3_000_000, 'every byte of it ');
    t.ok((await echoed(socket, bytes)).equals(bytes));
    t.equal(accepted[0]?.envoyId, identity.envoyId);
    socket.end();
    await eventually(() => closed.length === 1);
  });

  t.test(`${name} that does not read is not written to without end`, async (t) => {
    const { port, accepted } = await tlsListener(t, ours, { tlsRecords, isEchoing: false });
    const socket = client(t, { port, ...options });
    await once(socket, 'secureConnect');
    socket.pause();
    await eventually(() => accepted.length === 1);
    const peer = accepted[0]?.socket;
    const piece = Buffer.alloc(60_000, 1);
    let written = 0;
    for (; (peer?.writableLength ?? 0) < 500_000 && written < 100_000_000; await sleep(0)) {
      peer?.write(piece);
      written += piece.length;
    }
    t.ok(written < 100_000_000, 'who writes sees that it waits');
    let length = 0;
    socket.on('data', (part: Buffer) => {
      length += part.length;
    });
    socket.resume();
    await eventually(() => length === written);
    t.equal(peer?.writableLength, 0);
  });
}

for (const tlsRecords of ['vigo', 'openssl'] as const) {
  t.test(`an answer is read to its end by a slow peer (${tlsRecords})`, async (t) => {
    const { port, accepted } = await tlsListener(t, ours, { tlsRecords, isEchoing: false });
    const socket = client(t, { port });
    await once(socket, 'secureConnect');
    socket.pause();
    await eventually(() => accepted.length === 1);
    const peer = accepted[0]?.socket;
    const piece = Buffer.alloc(10_000, 1);
    let written = 0;
    for (; (peer?.writableLength ?? 0) < 30_000; await sleep(0)) {
      peer?.write(piece);
      written += piece.length;
    }
    peer?.destroySoon();
    let length = 0;
    socket.on('data', (part: Buffer) => {
      length += part.length;
    });
    await sleep(50);
    socket.resume();
    await once(socket, 'close');
    t.equal(length, written);
  });
}

/** Holds back what is written for some milliseconds, so that it leaves as one segment. */
class Slow extends Duplex {
  readonly #socket: Socket;
  #held: Buffer[] = [];

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.push(bytes));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#held.push(bytes);
    if (this.#held.length === 1) {
      setTimeout(() => {
        this.#socket.write(Buffer.concat(this.#held));
        this.#held = [];
      }, 30);
    }
    done();
  }
}

for (const ciphers of [chacha, aes]) {
  t.test(`a request in one packet with the handshake's end is answered (${ciphers})`, async (t) => {
    const { port } = await tlsListener(t, ours);
    const tcp = connect({ port, host: '127.0.0.1' });
    t.teardown(() => tcp.destroy());
    await once(tcp, 'connect');
    const socket = client(t, { socket: new Slow(tcp), ciphers });
    // Waits in the same buffer as the last flight of the handshake.
    await once(socket, 'secureConnect');
    const bytes = Buffer.alloc(50_000, 'early ');
    t.ok((await echoed(socket, bytes)).equals(bytes));
  });

  t.test(`a network that cuts everything to pieces changes nothing (${ciphers})`, async (t) => {
    const { port } = await tlsListener(t, ours);
    const dribble = async (from: Socket, to: Socket) => {
      let size = 1;
      for await (const bytes of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < bytes.length; size = (size * 7) % 997) {
          to.write(bytes.subarray(at, at + size));
          at += size;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      to.end();
    };
    const proxy = createServer({ noDelay: true }, (near) => {
      const far = connect({ port, host: '127.0.0.1', noDelay: true });
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      dribble(near, far).catch(() => far.destroy());
      dribble(far, near).catch(() => near.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.teardown(() => proxy.close());
    const socket = client(t, { port: (proxy.address() as AddressInfo).port, ciphers });
    await once(socket, 'secureConnect');
    const bytes = Buffer.alloc(100_000, 'piece by piece ');
    t.ok((await echoed(socket, bytes)).equals(bytes));
    socket.end();
    await once(socket, 'close');
  });
}

t.test('who does not shake hands is cut off, and takes nobody’s place', async (t) => {
  const clock = nodeClock();
  const hasty = { ...clock, after: clock.after };
  hasty.after = (delayMs, run, options) => clock.after(delayMs / 50, run, options);
  const { port, refused, accepted } = await tlsListener(t, ours, {
    clock: hasty,
    connectionLimit: 2,
  });
  const hello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
  const emptyRecord = Buffer.from([22, 3, 1, 0, 0]);
  const crumb = Buffer.from([22, 3, 1, 0, 1, 1]);
  const visits: [string, Buffer, boolean, RegExp][] = [
    ['says nothing', Buffer.alloc(0), false, /ERR_TLS_HANDSHAKE_TIMEOUT/],
    ['stops in the midst of its hello', hello, false, /ERR_TLS_HANDSHAKE_TIMEOUT/],
    ['hangs up in the midst of its hello', hello, true, /ECONNRESET/],
    ['speaks HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), false, /HTTP_REQUEST/],
    [
      'sends a hello of nonsense',
      Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 9, 9]),
      false,
      /handshake: ERR_SSL/,
    ],
    ['sends nothing, in many records', Buffer.alloc(5 * 5, emptyRecord), false, /too many/],
    ['sends its hello in crumbs', Buffer.alloc(6 * 70, crumb), false, /too many/],
    ['announces too much', Buffer.from([22, 3, 1, 0xff, 0xff, 0]), false, /too large/],
  ];
  for (const [name, bytes, isLeaving, reason] of visits) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    socket.write(bytes);
    if (isLeaving) socket.end();
    await once(socket, 'close');
    await eventually(() => refused.length > 0);
    t.match(refused.shift(), reason, `a peer that ${name}`);
    t.same(refused, [], 'which is told once');
  }
  const first = client(t, { port });
  await once(first, 'secureConnect');
  const second = client(t, { port });
  await once(second, 'secureConnect');
  await eventually(() => accepted.length === 2);
  const third = client(t, { port });
  await new Promise((resolve) => third.once('close', resolve));
  t.same(refused, ['connection limit']);
  first.destroy();
  await sleep(50);
  const fourth = client(t, { port });
  await once(fourth, 'secureConnect');
  await eventually(() => accepted.length === 3);
});

t.test('OpenSSL’s own client changes keys in both directions and says goodbye', async (t) => {
  const { port, closed, accepted } = await tlsListener(t, ours);
  const directory = mkdtempSync(join(tmpdir(), 'vigo-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const words = ['s_client', '-connect', `127.0.0.1:${port}`, '-alpn', 'h2', '-tls1_3'];
  const files = ['-CAfile', file('ca', ours.authority.certificatePem)];
  files.push('-cert', file('cert', identity.certificate), '-key', file('key', identity.key));
  const child = spawn('openssl', [...words, ...files, '-verify_return_error'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      out += bytes;
    });
  }
  await eventually(() => accepted.length === 1 && out.includes('SSL handshake has read'));
  t.match(out, /TLS_CHACHA20_POLY1305_SHA256/);
  for (const line of ['first', 'K', 'second', 'k', 'K', 'third']) {
    child.stdin.write(`${line}\n`);
    if (line.length > 1) await eventually(() => out.includes(`${line}\n`));
    else await sleep(50);
  }
  t.match(out, /first[\s\S]*second[\s\S]*third/);
  t.equal(out.match(/KEYUPDATE/g)?.length, 3);
  child.stdin.write('Q\n');
  const [code] = await once(child, 'exit');
  t.equal(code, 0, out);
  await eventually(() => closed.length === 1);
});
