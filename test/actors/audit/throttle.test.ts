import t from 'tap';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import {
  AuditThrottle,
  throttleSubjectLimit,
  throttleTypeLimit,
  throttleWindowMs,
} from '../../../actors/audit/throttle.ts';
import { fc } from '../../support/property.ts';

function refusal(subject: string, atMs: number, type = 'request.replayed'): AuditEvent {
  return { id: `${subject}-${atMs}`, atMs, type, actor: 'peer:1', subject, details: {} };
}

function keep(throttle: AuditThrottle, events: AuditEvent[]): AuditEvent[] {
  const { kept, commit } = throttle.consider(events);
  commit();
  return kept;
}

t.test('a flood of one subject leaves one entry a window, and the count of the rest', async (t) => {
  const throttle = new AuditThrottle();
  const flood = Array.from({ length: 1000 }, (_, index) => refusal('envoy', index));
  t.equal(keep(throttle, flood).length, 1);
  const [next] = keep(throttle, [refusal('envoy', throttleWindowMs)]);
  t.same(next?.details, { suppressed: 999 });
  t.same(keep(throttle, [refusal('envoy', 2 * throttleWindowMs)])[0]?.details, {});
});

t.test('what an administrator did is never left out', async (t) => {
  const throttle = new AuditThrottle();
  const events = Array.from({ length: 50 }, (_, index) => refusal('x', index, 'token.created'));
  t.equal(keep(throttle, events).length, 50);
});

t.test('a flood from ever new subjects is bounded in entries and in memory', async (t) => {
  const throttle = new AuditThrottle();
  const events = Array.from({ length: 20_000 }, (_, index) => refusal(`peer-${index}`, 5));
  t.equal(keep(throttle, events).length, throttleTypeLimit);
  t.ok(throttle.subjects <= throttleSubjectLimit);
  const [next] = keep(throttle, [refusal('another', 5 + throttleWindowMs)]);
  t.same(next?.details, { suppressed: 20_000 - throttleTypeLimit });
});

t.test('an entry whose transaction failed is kept when it comes again', async (t) => {
  const throttle = new AuditThrottle();
  t.equal(throttle.consider([refusal('envoy', 1)]).kept.length, 1);
  t.equal(keep(throttle, [refusal('envoy', 1)]).length, 1);
});

t.test('every event is either kept or counted', async () => {
  const event = fc.record({
    subject: fc.constantFrom('a', 'b', 'c'),
    atMs: fc.nat({ max: 200_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const throttle = new AuditThrottle();
      const sorted = events.map(({ subject, atMs }) => refusal(subject, atMs));
      sorted.sort((left, right) => left.atMs - right.atMs);
      const last = ['a', 'b', 'c'].map((subject) => refusal(subject, 1_000_000));
      const kept = [...keep(throttle, sorted), ...keep(throttle, last)];
      const counted = kept.reduce((sum, { details }) => sum + Number(details.suppressed ?? 0), 0);
      return kept.length + counted === sorted.length + last.length;
    }),
  );
});
