import type { Socket } from 'node:net';
import t from 'tap';
import { HandshakeGate, waitingHandshakeLimit } from '../../../actors/server/endpoint/admission.ts';

/** A clock that moves when the test says so. */
class TestClock {
  nowAtMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];

  nowMs = (): number => this.nowAtMs;
  monotonicMs = (): number => this.nowAtMs;
  soon = (run: () => void): void => run();

  after = (delayMs: number, run: () => void): { cancel(): void } => {
    this.#timers.push({ atMs: this.nowAtMs + delayMs, run });
    return { cancel: () => undefined };
  };

  advance(byMs: number): void {
    const untilMs = this.nowAtMs + byMs;
    for (;;) {
      this.#timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#timers[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.shift();
      this.nowAtMs = next.atMs;
      next.run();
    }
    this.nowAtMs = untilMs;
  }
}

function gateOf(perSecond: number) {
  const clock = new TestClock();
  const counts = { begun: 0, dropped: 0 };
  const gate = new HandshakeGate(
    clock,
    perSecond,
    () => {
      counts.begun += 1;
    },
    () => {
      counts.dropped += 1;
    },
  );
  const arrive = (count: number) => {
    for (let index = 0; index < count; index++) {
      gate.enter({ destroyed: false, destroy: () => undefined } as unknown as Socket);
    }
  };
  return { clock, counts, arrive };
}

t.test('a herd is let in at the measured rate, in its own order', async (t) => {
  const { clock, counts, arrive } = gateOf(100);
  arrive(350);
  t.equal(counts.begun, 100, 'a second of savings');
  clock.advance(1000);
  t.ok(counts.begun >= 195 && counts.begun <= 201, `then the rate: ${counts.begun}`);
  clock.advance(2000);
  t.equal(counts.begun, 350);
  t.equal(counts.dropped, 0);
});

t.test('who would wait in vain is sent away', async (t) => {
  const { clock, counts, arrive } = gateOf(10);
  arrive(200);
  clock.advance(60_000);
  t.equal(counts.begun + counts.dropped, 200);
  t.ok(counts.dropped >= 100, `${counts.dropped} had given up by themselves`);
});

t.test('the waiting room has an end', async (t) => {
  const { counts, arrive } = gateOf(1);
  arrive(waitingHandshakeLimit + 50);
  t.ok(counts.dropped >= 49);
});
