import { randomBytes } from 'node:crypto';
import t from 'tap';
import {
  answerHead,
  answerTrailers,
  framedMessage,
} from '../../../../actors/server/endpoint/grpc-answers.ts';
import {
  connectionWindow,
  controlQueueLimit,
  nuisanceLimit,
  patienceSweeps,
  resetNuisance,
} from '../../../../actors/server/endpoint/http2/limits.ts';
import { HeadReader } from '../../../../actors/server/endpoint/http2/request-head.ts';
import { Session } from '../../../../actors/server/endpoint/http2/session.ts';
import type { Stream } from '../../../../actors/server/endpoint/http2/stream.ts';
import { streamsPerConnectionLimit } from '../../../../actors/server/endpoint/limits.ts';
import {
  checkInHead,
  data,
  frame,
  framesIn,
  greeted,
  headers,
  type SentFrame,
  settings,
  u32,
} from '../../../support/http2-frames.ts';
import { fc } from '../../../support/property.ts';

/** A session whose socket is a list; it echoes each request's body unless told to wait. */
function sessionOf(options: { answers?: boolean; body?: Buffer } = {}) {
  const sent: Buffer[] = [];
  const broken: string[] = [];
  const waiting: Stream[] = [];
  const wire = {
    writable: true,
    writableLength: 0,
    isHalfway: false,
    ended: '',
    write: (bytes: Uint8Array) => sent.push(Buffer.from(bytes)),
    destroy: () => {
      wire.ended = 'destroyed';
    },
    destroySoon: () => {
      wire.ended ||= 'closed';
    },
  };
  let served = 0;
  let cancelled = 0;
  const session = new Session(wire, 'peer', {
    heads: new HeadReader(),
    open: (stream) => {
      const chunks: Buffer[] = [];
      let isServing = false;
      return {
        data: (bytes) => void chunks.push(Buffer.from(bytes)),
        end: () => {
          served += 1;
          isServing = true;
          if (options.answers === false) waiting.push(stream);
          else {
            isServing = false;
            const body = framedMessage(options.body ?? Buffer.concat(chunks));
            stream.respond(answerHead, body, answerTrailers);
          }
        },
        cancelled: () => {
          cancelled += 1;
          return isServing;
        },
      };
    },
    broken: (_, reason) => void broken.push(reason),
  });
  return {
    session,
    wire,
    broken,
    waiting,
    frames: (): SentFrame[] => framesIn(Buffer.concat(sent)),
    counts: () => ({ served, cancelled }),
  };
}

const ofStream = (frames: readonly SentFrame[], id: number) => frames.filter((f) => f.id === id);
const bodyOf = (frames: readonly SentFrame[], id: number) =>
  Buffer.concat(ofStream(frames, id).flatMap((f) => (f.type === 0 ? [f.payload] : []))).subarray(5);
const goodbye = (frames: readonly SentFrame[]) =>
  frames.find(({ type }) => type === 7)?.payload.readUInt32BE(4);
const resets = (frames: readonly SentFrame[]) =>
  frames.filter(({ type }) => type === 3).map(({ id, payload }) => [id, payload.readUInt32BE(0)]);

t.test('a conversation means the same however it is cut on its way', async () => {
  const body = randomBytes(700);
  const talk = Buffer.concat([
    greeted,
    headers(1, checkInHead),
    data(1, body.subarray(0, 300)),
    data(1, body.subarray(300), 1),
    headers(3, checkInHead, { parts: 3, padding: 7 }),
    frame(6, 0, 0, Buffer.from('12345678')),
    data(3, body, 1),
    headers(5, checkInHead),
    frame(3, 0, 5, u32(8)),
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(talk.length), { maxLength: 30 }), (cuts) => {
      const { session, frames, broken } = sessionOf();
      const places = [0, ...cuts.sort((a, b) => a - b), talk.length];
      for (const [at, from] of places.slice(0, -1).entries()) {
        session.read(talk.subarray(from, places[at + 1]));
      }
      const out = frames();
      return (
        broken.length === 0 &&
        bodyOf(out, 1).equals(body) &&
        bodyOf(out, 3).equals(body) &&
        out.some(({ type, flags }) => type === 6 && flags === 1) &&
        ofStream(out, 5).length === 0
      );
    }),
    { numRuns: 60 },
  );
});

t.test('noise never throws, answers no more than once, and ends in a goodbye', async (t) => {
  const anyFrame = fc
    .tuple(fc.nat(12), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 60 }))
    .map(([type, flags, id, payload]) => frame(type, flags, id, Buffer.from(payload)));
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 25 }), (noise) => {
      const { session, frames, broken, wire } = sessionOf();
      session.read(greeted);
      for (const bytes of noise) session.read(bytes);
      session.sweep();
      session.drained();
      session.end();
      const isOver = goodbye(frames()) !== undefined;
      return isOver === broken.length > 0 && isOver === (wire.ended !== '');
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('what breaks the protocol ends the connection in the code of RFC 9113', async (t) => {
  const wrong: Record<string, [code: number, bytes: Buffer]> = {
    'a frame too large': [6, frame(0, 0, 1, Buffer.alloc(16_385))],
    'data of no stream': [1, data(0, Buffer.from('x'))],
    'data of a stream that is not there': [1, data(1, Buffer.from('x'))],
    'an even stream': [1, headers(2, checkInHead)],
    'a continuation of nothing': [1, frame(9, 4, 1, checkInHead)],
    'a frame within a block': [
      1,
      Buffer.concat([frame(1, 0, 1, checkInHead), frame(6, 0, 0, u32(0))]),
    ],
    'a promise': [1, frame(5, 4, 1, Buffer.alloc(8))],
    'a ping cut short': [6, frame(6, 0, 0, Buffer.alloc(7))],
    'settings cut short': [6, frame(4, 0, 0, Buffer.alloc(5))],
    'settings of a stream': [1, frame(4, 0, 1, Buffer.alloc(0))],
    'a window too large': [3, settings([[4, 2 ** 31]])],
    'windows that add up too large': [3, frame(8, 0, 0, u32(2 ** 31 - 1))],
    'a window update by nothing': [1, frame(8, 0, 0, u32(0))],
    'more padding than frame': [1, frame(1, 0xc, 1, Buffer.from([9, 1, 2]))],
    'headers that cannot be unpacked': [9, frame(1, 4, 1, Buffer.from([0xff]))],
    'more data than the window': [
      3,
      Buffer.concat([
        headers(1, checkInHead),
        ...Array.from({ length: connectionWindow / 16_384 + 1 }, () =>
          data(1, Buffer.alloc(16_384)),
        ),
      ]),
    ],
  };
  for (const [name, [code, bytes]] of Object.entries(wrong)) {
    const { session, frames, broken, wire } = sessionOf();
    session.read(greeted);
    session.read(bytes);
    if (name === 'more data than the window') {
      t.same(resets(frames()), [], 'credit is given as the data is read');
      continue;
    }
    t.equal(goodbye(frames()), code, name);
    t.equal(broken.length, 1);
    t.equal(wire.ended, 'closed');
    session.read(headers(9, checkInHead, { endStream: true }));
    t.equal(ofStream(frames(), 9).length, 0, 'and nothing more is read');
  }
});

t.test('a request that is malformed costs its own stream and no other', async (t) => {
  const { session, frames } = sessionOf();
  const bad: [string, string][][] = [
    [
      [':method', 'POST'],
      [':path', '/x'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', ''],
    ],
    [
      [':method', 'POST'],
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/x'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      ['te', 'trailers'],
      [':path', '/x'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/x'],
      ['Upper', 'x'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/x'],
      ['connection', 'close'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/x'],
      ['te', 'gzip'],
    ],
    [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/x'],
      ['x', 'a\r\nb'],
    ],
  ];
  session.read(greeted);
  for (const [at, list] of bad.entries())
    session.read(headers(2 * at + 1, list, { endStream: true }));
  const length: [string, string][] = [...checkInHeaders(), ['content-length', '3']];
  session.read(Buffer.concat([headers(101, length), data(101, Buffer.from('four'), 1)]));
  t.same(
    resets(frames()),
    [...bad.map((_, at) => [2 * at + 1, 1]), [101, 1]],
    'each is reset for itself',
  );
  session.read(Buffer.concat([headers(103, checkInHead), data(103, Buffer.from('fine'), 1)]));
  t.equal(bodyOf(frames(), 103).toString(), 'fine');
});

t.test('floods end early: resets, pings, continuations, and answers nobody reads', async (t) => {
  const rapid = sessionOf({ answers: false });
  rapid.session.read(greeted);
  for (let id = 1; rapid.wire.ended === '' && id < 4000; id += 2) {
    rapid.session.read(headers(id, checkInHead, { endStream: true }));
    rapid.session.read(frame(3, 0, id, u32(8)));
  }
  t.equal(goodbye(rapid.frames()), 11, 'rapid reset (CVE-2023-44487)');
  t.ok(rapid.counts().served <= streamsPerConnectionLimit, 'and few of them were served');
  t.ok(resets(rapid.frames()).length <= nuisanceLimit / resetNuisance);
  const pings = sessionOf();
  pings.session.read(greeted);
  const ping = Buffer.concat(Array.from({ length: 500 }, () => frame(6, 0, 0, Buffer.alloc(8))));
  for (let at = 0; at < 12; at++) pings.session.read(ping);
  t.equal(goodbye(pings.frames()), 11, 'pings');
  const block = sessionOf();
  block.session.read(Buffer.concat([greeted, frame(1, 0, 1, Buffer.alloc(0))]));
  for (let at = 0; at < 40; at++) block.session.read(frame(9, 0, 1, Buffer.alloc(0)));
  t.equal(goodbye(block.frames()), 11, 'continuations (CVE-2024-27316)');
  const deaf = sessionOf();
  deaf.session.read(greeted);
  deaf.wire.writableLength = 2 * controlQueueLimit;
  deaf.session.read(frame(6, 0, 0, Buffer.alloc(8)));
  t.equal(deaf.wire.ended, 'destroyed', 'a peer that does not read');
});

t.test('a peer that stops halfway is cut off, one that is idle is not', async (t) => {
  const begun: Record<string, Buffer> = {
    'no preface': Buffer.alloc(0),
    'half a frame': Buffer.concat([greeted, headers(1, checkInHead).subarray(0, 12)]),
    'half a block': Buffer.concat([greeted, frame(1, 0, 1, checkInHead)]),
    'half a request': Buffer.concat([greeted, headers(1, checkInHead)]),
    'an answer that it does not take': Buffer.concat([
      greeted,
      settings([[4, 0]]),
      headers(1, checkInHead, { endStream: true }),
    ]),
  };
  for (const [name, bytes] of Object.entries(begun)) {
    const { session, wire } = sessionOf();
    session.read(bytes);
    for (let at = 0; at < patienceSweeps; at++) session.sweep();
    t.equal(wire.ended, 'destroyed', name);
  }
  const idle = sessionOf();
  idle.session.read(Buffer.concat([greeted, headers(1, checkInHead, { endStream: true })]));
  for (let at = 0; at < 5 * patienceSweeps; at++) idle.session.sweep();
  t.equal(idle.wire.ended, '');
});

t.test('a large answer waits for the room that the peer gives', async (t) => {
  const body = randomBytes(200_000);
  const { session, frames } = sessionOf({ body });
  session.read(Buffer.concat([greeted, headers(1, checkInHead, { endStream: true })]));
  t.equal(bodyOf(frames(), 1).length + 5, 65_535, 'the default window');
  session.read(frame(8, 0, 1, u32(1_000_000)));
  t.equal(bodyOf(frames(), 1).length + 5, 65_535, 'the connection has a window of its own');
  session.read(frame(8, 0, 0, u32(50_000)));
  t.equal(bodyOf(frames(), 1).length + 5, 115_535);
  session.read(frame(8, 0, 0, u32(1_000_000)));
  t.ok(bodyOf(frames(), 1).equals(body));
  const last = ofStream(frames(), 1).at(-1);
  t.same([last?.type, last?.flags], [1, 5], 'and its trailers end it');
});

t.test('no more is under way than is allowed, also when the peer keeps leaving', async (t) => {
  const { session, frames, waiting, counts } = sessionOf({ answers: false });
  session.read(greeted);
  for (let id = 1; id <= 2 * streamsPerConnectionLimit + 3; id += 2) {
    session.read(headers(id, checkInHead, { endStream: true }));
    if (id % 4 === 1) session.read(frame(3, 0, id, u32(8)));
  }
  t.equal(counts().served, streamsPerConnectionLimit);
  t.ok(
    resets(frames()).every(([, code]) => code === 7),
    'the others may come again',
  );
  for (const stream of waiting) stream.respond(answerHead, Buffer.alloc(5), answerTrailers);
  session.read(headers(101, checkInHead, { endStream: true }));
  t.equal(counts().served, streamsPerConnectionLimit + 1, 'what was given up made room');
});

t.test('a peer that wants no header table is told that it has its will', async (t) => {
  const { session, frames } = sessionOf();
  session.read(Buffer.concat([greeted, settings([[1, 0]])]));
  session.read(headers(1, checkInHead, { endStream: true }));
  session.read(headers(3, checkInHead, { endStream: true }));
  const blocks = frames().filter(({ type }) => type === 1);
  t.same(
    blocks.map(({ payload }) => payload[0] === 0x20),
    [true, false, false, false],
    'the first block after the change says so (RFC 7541, section 4.2)',
  );
});

function checkInHeaders(): [string, string][] {
  return [
    [':method', 'POST'],
    [':scheme', 'https'],
    [':path', '/vigo.v1.VigoAgent/CheckIn'],
    ['content-type', 'application/grpc'],
  ];
}
