import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { alertCode } from '../../../../actors/server/endpoint/tls/alert.ts';
import { testAuthority, testIdentity } from '../../../support/test-authority.ts';
import { tlsListener } from '../../../support/tls-listener.ts';
import { TlsPeer } from '../../../support/tls-peer.ts';

const ours = await testAuthority();
const identity = await testIdentity(ours);
const handshakeType = 22;
const alertType = 21;

async function pair(t: Test) {
  const server = await tlsListener(t, ours);
  const peer = await TlsPeer.connect(server.port, ours, identity);
  t.teardown(() => peer.socket.destroy());
  while (server.accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return { ...server, peer };
}

t.test('a peer that changes its keys goes on being understood, and gets new ones', async (t) => {
  const { peer, refused } = await pair(t);
  let said = '';
  for (const isAsking of [0, 1, 1, 0, 1]) {
    peer.send(Buffer.from([24, 0, 0, 1, isAsking]), handshakeType);
    peer.sending.update();
    said += `after ${isAsking}, `;
    peer.send(Buffer.from(`after ${isAsking}, `));
    await peer.until(() => peer.data.length >= said.length);
    t.equal(peer.data, said);
  }
  const answers = peer.heard.filter(
    ({ type, content }) => type === handshakeType && content[0] === 24,
  );
  t.equal(answers.length, 3, 'each asked change was answered by one that asks for nothing');
  t.ok(answers.every(({ content }) => content[4] === 0));
  t.same(refused, []);
});

t.test('who asks for new keys without reading gets them once', async (t) => {
  const { peer, accepted } = await pair(t);
  const socket = accepted[0]?.socket;
  peer.socket.pause();
  let written = 0;
  for (; (socket?.writableLength ?? 0) === 0; await new Promise((next) => setImmediate(next))) {
    written += 100_000;
    socket?.write(Buffer.alloc(100_000, 'x'));
  }
  for (let asked = 0; asked < 20; asked += 1) {
    peer.send(Buffer.from([24, 0, 0, 1, 1]), handshakeType);
    peer.sending.update();
  }
  peer.send(Buffer.from('end'));
  peer.socket.resume();
  await peer.until(() => peer.data.endsWith('end'));
  t.equal(peer.data.length, written + 3);
  t.equal(peer.heard.filter(({ content }) => content[0] === 24 && content.length === 5).length, 1);
});

t.test('padding and records without content are no content', async (t) => {
  const { peer } = await pair(t);
  peer.socket.write(
    Buffer.concat([
      peer.record(Buffer.from('padded '), 23, 100),
      peer.record(Buffer.alloc(0)),
      peer.record(Buffer.from('and not')),
    ]),
  );
  await peer.until(() => peer.data.length >= 14);
  t.equal(peer.data, 'padded and not');
});

t.test('what takes many records comes whole, however the network cuts it', async (t) => {
  const { peer } = await pair(t);
  const text = randomBytes(40_000).toString('hex');
  const records: Buffer[] = [];
  for (let at = 0; at < text.length; at += 16_384) {
    records.push(peer.record(Buffer.from(text.slice(at, at + 16_384))));
  }
  const all = Buffer.concat(records);
  for (let at = 0; at < all.length; at += 1111) {
    peer.socket.write(all.subarray(at, at + 1111));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await peer.until(() => peer.data.length >= text.length);
  t.equal(peer.data, text);
});

/** What a peer may not send, and the alert that tells it so. */
const faults: Record<string, [number, (peer: TlsPeer) => Buffer]> = {
  'a record with one bit changed': [
    alertCode.badRecordMac,
    (peer) => {
      const record = peer.record(Buffer.from('forged'));
      record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
      return record;
    },
  ],
  'a record that was heard before': [
    alertCode.badRecordMac,
    (peer) => {
      const record = peer.record(Buffer.from('again'));
      return Buffer.concat([record, record]);
    },
  ],
  'a record that came before another': [
    alertCode.badRecordMac,
    (peer) => {
      peer.record(Buffer.from('lost'));
      return peer.record(Buffer.from('next'));
    },
  ],
  'text in the clear': [
    alertCode.unexpectedMessage,
    () => Buffer.from([handshakeType, 3, 3, 0, 1, 0]),
  ],
  'a changed cipher out of place': [
    alertCode.unexpectedMessage,
    () => Buffer.from([20, 3, 3, 0, 1, 1]),
  ],
  'more than a record holds': [alertCode.recordOverflow, () => Buffer.from([23, 3, 3, 0xff, 0xff])],
  'less than a seal': [alertCode.decodeError, () => Buffer.from([23, 3, 3, 0, 2, 1, 2])],
  'a type that is none': [alertCode.unexpectedMessage, (peer) => peer.record(Buffer.from('x'), 77)],
  'nothing but padding': [alertCode.unexpectedMessage, (peer) => peer.record(Buffer.alloc(9), 0)],
  'a message of the handshake': [
    alertCode.unexpectedMessage,
    (peer) => peer.record(Buffer.from([1, 0, 0, 1, 0]), handshakeType),
  ],
  'a KeyUpdate that asks for what there is not': [
    alertCode.decodeError,
    (peer) => peer.record(Buffer.from([24, 0, 0, 1, 2]), handshakeType),
  ],
  'two KeyUpdates in one record': [
    alertCode.decodeError,
    (peer) => peer.record(Buffer.from([24, 0, 0, 1, 0, 24, 0, 0, 1, 0]), handshakeType),
  ],
  'an alert that is cut short': [
    alertCode.decodeError,
    (peer) => peer.record(Buffer.from([1]), alertType),
  ],
  'new keys again and again, with crumbs of data between them': [
    alertCode.unexpectedMessage,
    (peer) =>
      Buffer.concat(
        Array.from({ length: 40 }, () => {
          const record = peer.record(Buffer.from([24, 0, 0, 1, 0]), handshakeType);
          peer.sending.update();
          return Buffer.concat([record, peer.record(Buffer.from('x'))]);
        }),
      ),
  ],
  'nothing, again and again': [
    alertCode.unexpectedMessage,
    (peer) => Buffer.concat(Array.from({ length: 40 }, () => peer.record(Buffer.alloc(0)))),
  ],
};

for (const [name, [alert, bytesOf]] of Object.entries(faults)) {
  t.test(`${name}: the peer is told what was wrong, and cut off`, async (t) => {
    const { peer, closed } = await pair(t);
    peer.socket.write(bytesOf(peer));
    await peer.until(() => false);
    t.same(peer.alerts, [alert]);
    t.equal(closed.length, 1);
    t.notMatch(peer.data, /forged|next/);
  });
}

t.test('a goodbye is answered, an error is not', async (t) => {
  for (const [alert, answers] of [
    [alertCode.closeNotify, [alertCode.closeNotify]],
    [alertCode.badRecordMac, []],
  ] as const) {
    const { peer, closed } = await pair(t);
    peer.send(Buffer.from([alert === 0 ? 1 : 2, alert]), alertType);
    await peer.until(() => false);
    t.same(peer.alerts, answers);
    t.equal(closed.length, 1);
  }
});

t.test('what was written before the end is read before it', async (t) => {
  const { peer, accepted, closed } = await pair(t);
  const text = randomBytes(1_000_000).toString('hex');
  accepted[0]?.socket.write(Buffer.from(text));
  accepted[0]?.socket.destroySoon();
  accepted[0]?.socket.write(Buffer.from('late'));
  await peer.until(() => false);
  t.ok(peer.data === text, 'all of it, and nothing after');
  t.same(peer.alerts, [alertCode.closeNotify]);
  t.equal(closed.length, 1);
});
