import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { Channel, type Frame, linkWindow, reviveError } from '../../runtime/channel.ts';
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

function pair(received: Frame[], answered: Frame[]) {
  const time = new SimulatedTime();
  const [here, there] = simulatedLinks(time, new SeededRandom(1), 3);
  const near = new Channel('there', here, (frame) => answered.push(frame));
  const far = new Channel('here', there, (frame) => received.push(frame));
  return { time, near, far };
}

function tell(payload: unknown): Frame {
  return ['tell', 'kind', 'key', 'type', payload, null];
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
      for (const each of payloads) near.send(tell(each));
      await settle(time);
      const expected = payloads.map((each) => tell(each));
      if (!isDeepStrictEqual(received.map(plainBytes), expected.map(plainBytes)))
        throw new Error('differs');
    }),
    { numRuns: 50 },
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
  while (near.send(tell(sent))) sent += 1;
  t.equal(sent, linkWindow);
  await settle(time);
  t.equal(received.length, linkWindow);
  t.equal(near.send(tell(0)), true, 'acknowledged, so there is room');
});

t.test('one message that cannot be encoded does not take its neighbours along', async (t) => {
  const received: Frame[] = [];
  const answered: Frame[] = [];
  const { time, near } = pair(received, answered);
  const poison = Symbol('poison');
  near.send(tell('before'));
  near.send(['ask', 7, 'kind', 'key', 'type', poison, null, false]);
  near.send(tell('after'));
  await settle(time);
  t.same(
    received.map((frame) => frame[4]),
    ['before', 'after'],
  );
  t.match(answered, [['error', 7, { code: 'RUNTIME_NOT_ENCODABLE' }]]);
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
