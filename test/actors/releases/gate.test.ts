import t from 'tap';
import { ReleaseGate } from '../../../actors/envoy/release-gate.ts';

const megabyte = 1_000_000;

t.test(
  'a fleet that asks at once is served one after the other, and nobody waits for ever',
  async (t) => {
    const places = 10;
    const gate = new ReleaseGate({ places, bytesPerSecond: 10 * megabyte });
    const size = 2 * megabyte;
    const fleet = Array.from({ length: 500 }, (_, at) => ({ id: `envoy-${at}`, dueMs: 0, got: 0 }));
    let [nowMs, sent, refusals, most] = [0, 0, 0, 0];
    for (; fleet.some(({ got }) => got < size); nowMs += 100) {
      const fetching = new Set<string>();
      for (const envoy of fleet) {
        if (envoy.got >= size || envoy.dueMs > nowMs) continue;
        const waitMs = gate.admit(envoy.id, megabyte / 2, nowMs);
        if (waitMs > 0) {
          refusals += 1;
          envoy.dueMs = nowMs + waitMs;
          continue;
        }
        fetching.add(envoy.id);
        envoy.got += megabyte / 2;
        sent += megabyte / 2;
        if (envoy.got >= size) gate.done(envoy.id, nowMs);
      }
      most = Math.max(most, fetching.size);
      if (nowMs > 3_600_000) break;
    }
    const seconds = nowMs / 1000;
    t.ok(
      fleet.every(({ got }) => got === size),
      `all have it after ${seconds} s`,
    );
    t.ok(sent / seconds <= 11 * megabyte, `${sent / seconds} bytes per second`);
    t.ok(seconds < 1200, 'not much later than the line allows');
    t.ok(refusals < 500 * 30, `${refusals} refusals are no storm`);
  },
);

t.test('a machine that went away gives its place up', async (t) => {
  const gate = new ReleaseGate({ places: 1, bytesPerSecond: megabyte });
  t.equal(gate.admit('a', 1, 0), 0);
  const wait = gate.admit('b', 1, 1000);
  t.ok(wait >= 2000 && wait < 900_000, `${wait} ms`);
  t.equal(gate.admit('a', 1, 2000), 0, 'who has a place keeps it');
  t.equal(gate.admit('b', 1, 100_000), 0);
});
