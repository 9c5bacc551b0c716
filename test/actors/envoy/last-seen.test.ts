import t from 'tap';
import { LastSeen } from '../../../actors/envoy/last-seen.ts';
import { lastSeenPerMessage, type SinkMessages } from '../../../actors/sink/messages.ts';
import type { ActorSystem } from '../../../runtime/actor.ts';
import { SimulatedClock, SimulatedTime } from '../../../runtime/simulate/simulated-clock.ts';
import { envoyIdOf } from '../support/sink.ts';

function runUntil(time: SimulatedTime, untilMs: number): void {
  while (time.step(untilMs));
}

function begin() {
  const time = new SimulatedTime();
  const messages: { atMs: number; seen: SinkMessages['lastSeen']['payload']['seen'] }[] = [];
  const lastSeen = new LastSeen(new SimulatedClock(time, 0));
  const tell = (_to: unknown, _type: unknown, payload: unknown): void => {
    messages.push({ atMs: time.nowMs, ...(payload as SinkMessages['lastSeen']['payload']) });
  };
  lastSeen.start({ tell: tell as ActorSystem['tell'] });
  const note = (envoy: number) =>
    lastSeen.note({
      ...{ envoyId: envoyIdOf(envoy), lastSeenMs: time.nowMs, state: 1 },
      ...{ policyVersion: 1, agentVersion: '1' },
    });
  return { time, lastSeen, messages, note };
}

t.test('a fleet that is due at once reaches the database once, in parts', async (t) => {
  const { time, lastSeen, messages, note } = begin();
  const fleet = 40_000;
  for (let envoy = 0; envoy < fleet; envoy++) note(envoy);
  runUntil(time, 60_000);
  const told = messages.flatMap(({ seen }) => seen.map(({ envoyId }) => envoyId));
  t.equal(told.length, fleet);
  t.equal(new Set(told).size, fleet, 'nobody twice');
  t.ok(messages.every(({ seen }) => seen.length <= lastSeenPerMessage));
  const perSecond = new Map<number, number>();
  for (const { atMs, seen } of messages) {
    perSecond.set(atMs, (perSecond.get(atMs) ?? 0) + seen.length);
  }
  t.ok(Math.max(...perSecond.values()) <= fleet / 8, 'no wave');
  lastSeen.stop();
});

t.test('a shard that stops sends nothing more', async (t) => {
  const { time, lastSeen, messages, note } = begin();
  note(1);
  lastSeen.stop();
  runUntil(time, 10_000);
  t.same(messages, []);
});
