import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { Channel, type ChannelReceiver, linkWindow, reviveError } from '../../runtime/channel.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { SeededRandom } from '../../runtime/simulate/seeded-random.ts';
import { SimulatedTime } from '../../runtime/simulate/simulated-clock.ts';
import { simulatedLinks } from '../../runtime/simulate/simulated-link.ts';
import { fc } from '../support/property.ts';

async function settle(time: SimulatedTime): Promise<void> {
  do {
    await new Promise((resolve) => setImmediate(resolve));
  } while (time.step(Number.POSITIVE_INFINITY));
}

type Frame = unknown[];

/** Writes down what arrives, as one list. */
function recorder(frames: Frame[]): ChannelReceiver {
  return {
    tell: (kind, key, type, payload, trace) => {
      frames.push(['tell', kind, key, type, payload, trace]);
    },
    ask: (id, { kind, key, type, payload, traceparent, mail }) => {
      frames.push(['ask', id, kind, key, type, payload, traceparent, mail]);
    },
    value: (id, value) => {
      frames.push(['value', id, value]);
    },
    error: (id, error) => {
      frames.push(['error', id, error]);
    },
    control: (name, body) => {
      frames.push(['control', name, body]);
    },
  };
}

/** Sends what the recorder wrote down. */
function send(channel: Channel, frame: Frame): boolean {
  const [op, ...rest] = frame;
  if (op === 'tell') {
    return channel.tell(...(rest as [string, string, string, unknown, string | undefined]));
  }
  if (op === 'ask') {
    const [id, kind, key, type, payload, traceparent, mail] = rest as [
      number,
      string,
      string,
      string,
      unknown,
      string | undefined,
      boolean,
    ];
    return channel.ask(id, { kind, key, type, payload, traceparent, mail });
  }
  if (op === 'value') channel.value(...(rest as [number, unknown]));
  else channel.control(...(rest as [string, unknown]));
  return true;
}

function pair(received: Frame[], answered: Frame[]) {
  const time = new SimulatedTime();
  const [here, there] = simulatedLinks(time, new SeededRandom(1), 3);
  const near = new Channel('there', here, recorder(answered));
  const far = new Channel('here', there, recorder(received));
  return { time, near, far };
}

function tell(payload: unknown): Frame {
  return ['tell', 'kind', 'key', 'type', payload, undefined];
}

t.test('what is sent arrives as it was, in order', async () => {
  const plain = fc.oneof(
    fc.string(),
    // MessagePack writes a whole number as an integer, and integers have no negative zero.
    fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constant(undefined),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.date({ noInvalidDate: true }),
  );
  // The decoder renames this one key, so that a message cannot reach an object's prototype.
  const key = fc.string().filter((name) => name !== '__proto__');
  const payload = fc.oneof(plain, fc.array(plain), fc.dictionary(key, plain));
  await fc.assert(
    fc.asyncProperty(fc.array(payload, { maxLength: 30 }), async (payloads) => {
      const received: Frame[] = [];
      const { time, near } = pair(received, []);
      for (const each of payloads) send(near, tell(each));
      await settle(time);
      const expected = payloads.map((each) => tell(each));
      if (!isDeepStrictEqual(received.map(plainBytes), expected.map(plainBytes)))
        throw new Error('differs');
    }),
    { numRuns: 50 },
  );
});

t.test('messages of many senders, kinds and traces arrive each whole, in order', async () => {
  const name = fc.constantFrom('a', 'b');
  const trace = fc.constantFrom(undefined, 'trace-1', 'trace-2');
  const id = fc.integer({ min: 1, max: 2 ** 40 });
  const frame = fc.oneof(
    fc.tuple(fc.constant('tell'), name, name, name, fc.integer(), trace),
    fc.tuple(fc.constant('ask'), id, name, name, name, fc.integer(), trace, fc.boolean()),
    fc.tuple(fc.constant('value'), id, fc.string()),
    fc.tuple(fc.constant('control'), name, fc.integer()),
  );
  const burst = fc.array(frame as fc.Arbitrary<Frame>, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(burst, { maxLength: 4 }), async (bursts) => {
      const received: Frame[] = [];
      const { time, near } = pair(received, []);
      for (const frames of bursts) {
        for (const each of frames) send(near, each);
        await Promise.resolve();
      }
      await settle(time);
      if (!isDeepStrictEqual(received, bursts.flat())) throw new Error('differs');
    }),
    { numRuns: 100 },
  );
});

/** A Uint8Array comes back as one, perhaps as Node's Buffer; compare the bytes. */
function plainBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(' ')}`;
  if (value instanceof Date || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plainBytes);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plainBytes(v)]));
}

t.test('a slow receiver makes the sender refuse, and opens again', async (t) => {
  const received: Frame[] = [];
  const { time, near } = pair(received, []);
  let sent = 0;
  while (send(near, tell(sent))) sent += 1;
  t.equal(sent, linkWindow);
  await settle(time);
  t.equal(received.length, linkWindow);
  t.equal(send(near, tell(0)), true, 'acknowledged, so there is room');
});

t.test('one message that cannot be encoded does not take its neighbours along', async (t) => {
  const received: Frame[] = [];
  const answered: Frame[] = [];
  const { time, near } = pair(received, answered);
  const poison = Symbol('poison');
  send(near, tell('before'));
  send(near, ['ask', 7, 'kind', 'key', 'type', poison, undefined, false]);
  send(near, tell('after'));
  await settle(time);
  t.same(
    received.map((frame) => frame[4]),
    ['before', 'after'],
  );
  t.match(answered, [['error', 7, { code: 'RUNTIME_NOT_ENCODABLE' }]]);
});

t.test('an answer that cannot be encoded tells so, and its neighbours arrive', async (t) => {
  const received: Frame[] = [];
  const { time, near } = pair(received, []);
  near.value(1, 'one');
  near.value(2, Symbol('poison'));
  near.value(3, 'three');
  await settle(time);
  t.match(received, [
    ['value', 1, 'one'],
    ['value', 3, 'three'],
    ['error', 2, { code: 'RUNTIME_NOT_ENCODABLE' }],
  ]);
});

t.test(
  'an error keeps its code, its details and, for those who revive it, its class',
  async (t) => {
    const details = { kind: 'a', key: 'b', limit: 3 };
    const plain = { name: 'x', message: 'm', remedy: 'r', details };
    const own = reviveError({ ...plain, code: 'RUNTIME_MAILBOX_FULL' }, undefined);
    t.ok(own instanceof RuntimeError);
    t.match(own, { code: 'RUNTIME_MAILBOX_FULL', details });
    t.match(reviveError({ ...plain, code: 'SINK_DOWN' }, undefined), {
      code: 'SINK_DOWN',
      remedy: 'r',
    });
    const revived = reviveError({ ...plain, code: 'SINK_DOWN' }, () => new RangeError('mine'));
    t.ok(revived instanceof RangeError);
  },
);
