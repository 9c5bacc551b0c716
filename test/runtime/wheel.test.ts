import t from 'tap';
import { SimulatedClock, SimulatedTime } from '../../runtime/simulate/simulated-clock.ts';
import { Wheel, WheelTimer, wheelTickMs } from '../../runtime/wheel.ts';
import { fc } from '../support/property.ts';

const delays = fc.oneof(
  fc.integer({ min: 0, max: 700 }),
  fc.integer({ min: 0, max: 50_000 }),
  fc.integer({ min: 0, max: 40_000_000 }),
);

t.test('timers fire once, never early, at most a tick late, unless cancelled', async () => {
  const step = fc.record({
    delay: delays,
    wait: fc.integer({ min: 0, max: 3_000 }),
    cancel: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const time = new SimulatedTime();
      const wheel = new Wheel(new SimulatedClock(time, 0));
      const runUntil = (untilMs: number) => {
        while (time.step(untilMs));
      };
      const expected = new Map<number, { dueMs: number; timer: WheelTimer | undefined }>();
      const fired: number[] = [];
      steps.forEach(({ delay, wait, cancel }, index) => {
        const dueMs = time.nowMs + delay;
        const timer = wheel.add(delay, () => {
          if (time.nowMs < dueMs) throw new Error(`early: ${time.nowMs} < ${dueMs}`);
          if (time.nowMs > dueMs + 2 * wheelTickMs) throw new Error(`late: ${time.nowMs} ${dueMs}`);
          fired.push(index);
        });
        expected.set(index, { dueMs, timer });
        runUntil(time.nowMs + wait);
        if (cancel && !fired.includes(index)) {
          wheel.cancel(timer);
          expected.delete(index);
        }
      });
      runUntil(time.nowMs + 50_000_000);
      if (fired.length !== expected.size || new Set(fired).size !== fired.length) {
        throw new Error(`${fired.length} fired, ${expected.size} expected`);
      }
      if (wheel.size !== 0) throw new Error('something is left');
    }),
    { numRuns: 200 },
  );
});

t.test(
  'a timer that another one cancels and starts again in the same tick comes once',
  async (t) => {
    class Counting extends WheelTimer {
      count = 0;
      due(): void {
        this.count += 1;
      }
    }
    const time = new SimulatedTime();
    const wheel = new Wheel(new SimulatedClock(time, 0));
    const second = new Counting();
    wheel.add(50, () => {
      wheel.cancel(second);
      wheel.start(second, 300);
    });
    wheel.start(second, 50);
    while (time.step(200));
    t.equal(second.count, 0);
    t.equal(wheel.size, 1);
    while (time.step(1_000));
    t.equal(second.count, 1);
    t.equal(wheel.size, 0);
  },
);
