import t from 'tap';
import {
  batchGoal,
  Coalescing,
  leastRate,
  mostRate,
} from '../../../actors/server/endpoint/coalescing.ts';

/** A shard whose every look at its sockets finds what the test says. */
function shard({ delayMsMax = 10, isBusy = false } = {}) {
  let nowMs = 0;
  let soon: (() => void)[] = [];
  const pauses: number[] = [];
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => ({ cancel: () => undefined }),
    soon: (run: () => void) => {
      soon.push(run);
    },
  };
  const pause = (delayMs: number) => {
    pauses.push(delayMs);
    nowMs += delayMs;
  };
  const coalescing = new Coalescing(clock, { delayMsMax, pause, isBusy: () => isBusy });
  const look = (found: number, { isUrgent = false, passedMs = 1 } = {}) => {
    nowMs += passedMs;
    for (let index = 0; index < found; index++) coalescing.came(isUrgent);
    const before = pauses.length;
    for (const run of soon.splice(0)) run();
    soon = [];
    return pauses.slice(before);
  };
  /** Long enough for the rate to be known. */
  const settle = (perSecond: number) => {
    for (let passedMs = 0; passedMs < 1000; passedMs += 1000 / perSecond) {
      look(1, { passedMs: 1000 / perSecond, isUrgent: true });
    }
  };
  return { look, settle };
}

t.test('a small fleet is answered at once, always', async (t) => {
  const { look, settle } = shard();
  t.same(look(1), [], 'the first request of a new server');
  settle(leastRate / 2);
  t.same(look(1), []);
});

t.test('a busy shard rests after it has answered, until enough has gathered', async (t) => {
  const { look, settle } = shard();
  settle(500);
  t.same(look(1), [10], 'no longer than was allowed');
  settle(1000);
  const [pausedMs = 0] = look(1);
  t.ok(pausedMs > 5 && pausedMs < 10, 'shorter where much comes');
  settle(2 * mostRate);
  t.same(look(1), [], 'not at all where very much comes');
});

t.test('a shard that is behind does not rest', async (t) => {
  const { look, settle } = shard();
  settle(1000);
  t.same(look(batchGoal), []);
});

t.test('what is still to be answered is not held up', async (t) => {
  const { look, settle } = shard();
  settle(500);
  t.same(look(1, { isUrgent: true }), [], 'a report waits for the disk');
  const handshaking = shard({ isBusy: true });
  handshaking.settle(500);
  t.same(handshaking.look(1), [], 'a herd that comes back');
});

t.test('it can be switched off', async (t) => {
  const { look, settle } = shard({ delayMsMax: 0 });
  settle(500);
  t.same(look(1), []);
});
