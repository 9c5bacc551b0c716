import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import {
  opened,
  RecordKeys,
  recordHeaderLength,
  sealed,
} from '../../../actors/server/endpoint/tls/record-keys.ts';
import { contextOptions } from '../../../bench/fleet/handshake.ts';
import { TlsConnection } from '../../../bench/fleet/tls-connection.ts';
import { fc } from '../../support/property.ts';
import { testAuthority, testIdentity } from '../../support/test-authority.ts';

const ours = await testAuthority();
const foreign = await testAuthority();
const identity = await testIdentity(ours);

/** A server of Node's own that sends back what it gets, and may speak first. */
async function echo(t: Test, greeting = '') {
  const peers: TLSSocket[] = [];
  const server = createServer(
    {
      cert: ours.serverCertificate,
      key: ours.serverKey,
      ca: ours.authority.certificatePem,
      requestCert: true,
      ALPNProtocols: ['h2'],
    },
    (socket) => {
      peers.push(socket);
      socket.on('error', () => undefined);
      if (greeting !== '') socket.write(greeting);
      socket.pipe(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return { peers, port: (server.address() as AddressInfo).port };
}

function contextOf(authority: typeof ours) {
  return createSecureContext({
    ...contextOptions,
    ca: authority.authority.certificatePem,
    cert: identity.certificate,
    key: identity.key,
  });
}

/** What came back so far, and a promise of more. */
class Heard {
  bytes = Buffer.alloc(0);
  isOver = false;
  #told: (() => void) | undefined;

  read(bytes: Buffer, length: number): void {
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(0, length)]);
    this.#told?.();
  }

  ended(): void {
    this.isOver = true;
    this.#told?.();
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#told = resolve));
  }
}

t.test('a TLS server of Node understands the generator, and is understood', async (t) => {
  const { port, peers } = await echo(t);
  const context = contextOf(ours);
  const connection = await TlsConnection.open({ host: '127.0.0.1', port, context });
  t.teardown(() => connection.destroy());
  const heard = new Heard();
  connection.readBy(heard);
  let sent = Buffer.alloc(0);
  for (const length of [1, 300, 301, 16_384, 16_385, 200_000, 3]) {
    const bytes = Buffer.alloc(length, `${length} `);
    sent = Buffer.concat([sent, bytes]);
    connection.write(bytes);
  }
  await heard.until(() => heard.bytes.length >= sent.length);
  t.equal(Buffer.compare(heard.bytes, sent), 0, 'nothing is lost, also what takes many records');
  t.equal(peers[0]?.authorized, true, 'the client certificate was checked');
  t.equal(peers[0]?.alpnProtocol, 'h2');
  peers[0]?.end();
  await heard.until(() => heard.isOver);
  t.ok(heard.isOver, 'the end is told');
  t.doesNotThrow(() => connection.write(Buffer.from('late')));
});

for (const greeting of ['', 'settings, which come before the ticket']) {
  t.test('a session is resumed, so that a herd costs what it costs with agents', async (t) => {
    const { port } = await echo(t, greeting);
    let session: Buffer | undefined;
    const onSession = (given: Buffer) => {
      session = given;
    };
    /** Asks until there is a ticket, which is read beside the answers; or gives up. */
    const visit = async (): Promise<boolean> => {
      const target = { host: '127.0.0.1', port, context: contextOf(ours), onSession };
      const connection = await TlsConnection.open(session ? { ...target, session } : target);
      const heard = new Heard();
      connection.readBy(heard);
      for (let asked = 1; asked <= 10; asked += 1) {
        connection.write(Buffer.from('x'));
        await heard.until(() => heard.bytes.length === greeting.length + asked);
        await new Promise((resolve) => setImmediate(resolve));
      }
      connection.destroy();
      return connection.resumed;
    };
    t.notOk(await visit());
    t.ok(session !== undefined, 'a ticket was kept');
    t.ok(await visit());
  });
}

t.test('who is not the server is not spoken to', async (t) => {
  const { port } = await echo(t);
  const target = { host: '127.0.0.1', port };
  await t.rejects(TlsConnection.open({ ...target, context: contextOf(foreign) }), {
    code: /^CONNECT/,
  });
  const refused = { host: '127.0.0.1', port: 1, context: contextOf(ours) };
  await t.rejects(TlsConnection.open(refused), { code: 'CONNECT_ECONNREFUSED' });
});

t.test('a record opens as what was sealed, in order, and not when it was changed', async () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 2000 }), { minLength: 1 });
  const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(secrets, messages, fc.nat(), (secret, parts, place) => {
      const sending = new RecordKeys(secret);
      const receiving = new RecordKeys(secret);
      for (const part of parts) {
        const size = sending.seal(part, 0, part.length);
        const length = receiving.open(sealed.subarray(recordHeaderLength, size));
        if (Buffer.compare(opened.subarray(0, length), part) !== 0) return false;
      }
      const size = sending.seal(Buffer.from('last'), 0, 4);
      const forged = Buffer.from(sealed.subarray(recordHeaderLength, size));
      forged[place % forged.length] = (forged[place % forged.length] ?? 0) ^ 1;
      try {
        receiving.open(forged);
        return false;
      } catch {
        return true;
      }
    }),
    { numRuns: 60 },
  );
});
