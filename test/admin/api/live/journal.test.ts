import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import type { LiveEvent } from '../../../../actors/events/messages.ts';
import { EventJournal } from '../../../../admin/api/live/journal.ts';
import { fc } from '../../../support/property.ts';

const event = (number: number): LiveEvent => ({ type: 'envoy.state', atMs: number, data: {} });

t.test('whoever comes back gets what it missed, once and in order, or is told of a gap', (t) => {
  const action = fc.oneof(
    { weight: 8, arbitrary: fc.constant('append' as const) },
    { weight: 1, arbitrary: fc.constant('cut' as const) },
    { weight: 3, arbitrary: fc.nat({ max: 6 }) },
  );
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      (list, most) => {
        const journal = new EventJournal(5, { entriesMax: most, charactersMax: 100_000 });
        const told: number[] = [];
        let cutAt = journal.newest;
        for (const act of list) {
          if (act === 'append') {
            const before = journal.newest;
            journal.append(event(told.length));
            told.push(journal.newest);
            if (journal.newest <= before) return false;
          } else if (act === 'cut') {
            journal.cut();
            cutAt = journal.newest;
          } else {
            const from = told.at(-act) ?? cutAt;
            const missed = told.filter((id) => id > from);
            const isWhole = from >= cutAt && missed.length <= most;
            if (journal.holds(from) !== isWhole) return false;
            if (!isWhole) continue;
            const got = journal.after(from, 1_000).map(({ id }) => id);
            if (got.join() !== missed.join()) return false;
          }
        }
        return !journal.holds(journal.newest + 1);
      },
    ),
  );
  t.end();
});

t.test('its memory is bounded by what it keeps, not by how many there were', (t) => {
  const journal = new EventJournal(0, { entriesMax: 1_000, charactersMax: 2_000 });
  const text = 'x'.repeat(500);
  for (let at = 0; at < 20; at++) {
    journal.append({ type: 'run.finished', atMs: at, data: { text } });
  }
  const kept = journal.newest - 3;
  t.ok(journal.holds(kept));
  t.notOk(journal.holds(kept - 1), 'three of 500 characters are kept in 2000');
  t.same(journal.after(kept, 10).length, 3);
  t.end();
});

t.test('a fleet that reports for days takes no more memory than the journal keeps', async (t) => {
  const entriesMax = 500;
  const journal = new EventJournal(0, { entriesMax, charactersMax: 1_000_000 });
  const { entries, events } = appendMany(journal, entriesMax * 2 - 1);
  // What a WeakRef names lives until the turn of the event loop that made it is over.
  await setImmediate();
  collectGarbage();
  t.equal(living(entries), entriesMax, 'what dropped out is gone at once');
  t.equal(living(events), 0, 'as objects they would take as much again as their text');
  t.equal(journal.after(journal.newest - entriesMax, entriesMax).length, entriesMax);
});

/** A function of its own: what a suspended one holds is not collected. */
function appendMany(
  journal: EventJournal,
  count: number,
): Record<'entries' | 'events', WeakRef<object>[]> {
  const events = Array.from({ length: count }, (_, at) => event(at));
  return {
    entries: events.map((own) => new WeakRef(journal.append(own))),
    events: events.map((own) => new WeakRef(own)),
  };
}

function living(references: readonly WeakRef<object>[]): number {
  return references.filter((reference) => reference.deref() !== undefined).length;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

t.test('a later life of the server begins above an earlier one', (t) => {
  const first = new EventJournal(1_000);
  for (let at = 0; at < 4_000; at++) first.append(event(at));
  t.ok(new EventJournal(1_001).newest > first.newest);
  t.notOk(new EventJournal(1_001).holds(first.newest), 'so that the gap is seen');
  t.end();
});
