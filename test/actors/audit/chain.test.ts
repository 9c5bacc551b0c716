import t from 'tap';
import {
  type AuditRow,
  appendToChain,
  genesisHead,
  normalizeEvent,
  verifyChain,
} from '../../../actors/audit/chain.ts';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { exportLine, readExport } from '../../../actors/audit/export.ts';
import { ServerError } from '../../../actors/errors.ts';
import { fc } from '../../support/property.ts';

const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.double());
const anyEvent: fc.Arbitrary<AuditEvent> = fc
  .record({
    id: fc.uuid(),
    atMs: fc.nat(),
    type: fc.constantFrom('token.created', 'envoy.revoked'),
    actor: fc.string({ unit: 'binary' }),
    subject: fc.string(),
    details: fc.dictionary(fc.string({ maxLength: 8 }), value, { maxKeys: 4 }),
  })
  .map(normalizeEvent);

function chain(events: readonly AuditEvent[]): AuditRow[] {
  let head = genesisHead;
  return events.map((event) => {
    const row = appendToChain(head, event);
    head = row;
    return row;
  });
}

async function isBroken(rows: AuditRow[], expected?: string): Promise<boolean> {
  try {
    await verifyChain(rows, expected);
    return false;
  } catch (error) {
    return error instanceof ServerError && error.code.startsWith('AUDIT_');
  }
}

function mutateText(text: string): string {
  return text === '' ? 'x' : `${text.slice(1)}${text[0] === 'x' ? 'y' : 'x'}`;
}

type Mutation = (row: AuditRow) => AuditRow;
const mutations: Record<string, Mutation> = {
  id: (row) => ({ ...row, event: { ...row.event, id: mutateText(row.event.id) } }),
  atMs: (row) => ({ ...row, event: { ...row.event, atMs: row.event.atMs + 1 } }),
  type: (row) => ({ ...row, event: { ...row.event, type: mutateText(row.event.type) } }),
  actor: (row) => ({ ...row, event: { ...row.event, actor: `${row.event.actor}x` } }),
  subject: (row) => ({ ...row, event: { ...row.event, subject: `${row.event.subject}"` } }),
  detail: (row) => ({
    ...row,
    event: { ...row.event, details: { ...row.event.details, 'new!': 1 } },
  }),
  traceparent: (row) => ({ ...row, event: { ...row.event, traceparent: '00-1-2-01' } }),
  hash: (row) => ({ ...row, hash: (row.hash[0] === '0' ? '1' : '0') + row.hash.slice(1) }),
  sequence: (row) => ({ ...row, sequence: row.sequence + 1 }),
};

const someEvents = fc.array(anyEvent, { minLength: 1, maxLength: 12 });

t.test('a log that nobody touched verifies to its head', async () => {
  await fc.assert(
    fc.asyncProperty(someEvents, async (events) => {
      const rows = chain(events);
      const head = await verifyChain(rows, rows.at(-1)?.hash);
      return head.sequence === events.length && head.hash === rows.at(-1)?.hash;
    }),
  );
});

t.test('any single edit of any entry is found', async () => {
  const name = fc.constantFrom(...Object.keys(mutations));
  await fc.assert(
    fc.asyncProperty(someEvents, fc.nat(), name, async (events, at, mutation) => {
      const rows = chain(events);
      const head = rows.at(-1)?.hash;
      const index = at % rows.length;
      const mutate = mutations[mutation];
      const row = rows[index];
      if (row === undefined || mutate === undefined) return false;
      rows[index] = mutate(row);
      return await isBroken(rows, head);
    }),
    { numRuns: 500 },
  );
});

t.test('deleted, doubled and swapped entries are found', async () => {
  await fc.assert(
    fc.asyncProperty(someEvents, fc.nat(), fc.nat(), async (events, first, second) => {
      const rows = chain(events);
      const head = rows.at(-1)?.hash;
      const at = first % rows.length;
      const row = rows[at];
      if (row === undefined) return false;
      const doubled = [...rows.slice(0, at), row, ...rows.slice(at)];
      const deleted = rows.filter((_, index) => index !== at);
      const to = second % rows.length;
      const swapped = [...rows];
      [swapped[at], swapped[to]] = [swapped[to] ?? row, row];
      const swappedIsBroken = at === to || (await isBroken(swapped, head));
      return (await isBroken(doubled, head)) && (await isBroken(deleted, head)) && swappedIsBroken;
    }),
  );
});

t.test('a log that was cut is found with the head that was noted, also an older one', async (t) => {
  const event = normalizeEvent({
    id: 'a',
    atMs: 1,
    type: 'x',
    actor: '',
    subject: '',
    details: {},
  });
  const rows = chain([event, { ...event, id: 'b' }, { ...event, id: 'c' }]);
  t.equal(await isBroken(rows.slice(0, 2), rows[2]?.hash), true);
  t.equal(await isBroken(rows, rows[1]?.hash), false);
  t.equal(await isBroken([], rows[0]?.hash), true);
});

t.test('an export carries everything that the hashes cover', async () => {
  await fc.assert(
    fc.asyncProperty(someEvents, async (events) => {
      const rows = chain(events);
      async function* lines() {
        for (const row of rows) yield exportLine(row);
      }
      const head = await verifyChain(readExport(lines(), 'test'), rows.at(-1)?.hash);
      return head.sequence === rows.length;
    }),
  );
});

t.test('a damaged export is refused with the line', async (t) => {
  async function* lines() {
    yield '';
    yield '{"sequence":1}';
  }
  await t.rejects(verifyChain(readExport(lines(), 'audit.jsonl')), {
    code: 'AUDIT_UNREADABLE',
    message: /line 2/,
  });
});
