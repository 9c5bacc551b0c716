/**
 * What is lost when this fails: every check-in pays for the audit log, or an envoy is told an older
 * log than it has seen and takes an honest server for a liar.
 */
import t from 'tap';
import { auditTables, type CheckpointRow, type ProofsRow } from '../../../actors/audit/tables.ts';
import { AuditView } from '../../../actors/envoy/audit-view.ts';
import { msgpackCodec } from '../../../runtime/codecs.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { StoreReader } from '../../../runtime/store.ts';

const tables = auditTables(msgpackCodec);
const noBytes = new Uint8Array(0);

function fixture() {
  const rows: { checkpoint?: CheckpointRow; proofs?: ProofsRow } = {};
  const told: { type: string; payload: unknown }[] = [];
  let nowMs = 1_000;
  let reads = 0;
  const store = {
    get: (table: { name: string }) => {
      reads += 1;
      return table.name === tables.checkpoint.name ? rows.checkpoint : rows.proofs;
    },
  } as unknown as StoreReader;
  const view = new AuditView(store, tables, { monotonicMs: () => nowMs } as unknown as Clock);
  const turn = {
    key: 'envoy-1',
    tell: (_to: unknown, type: string, payload: unknown) => void told.push({ type, payload }),
  };
  const ask = (auditSize: number, auditMark: number, auditCosignature = noBytes) =>
    view.answer(turn, { auditSize, auditMark, auditCosignature });
  const later = (ms: number) => {
    nowMs += ms;
  };
  return { rows, told, ask, later, reads: () => reads };
}

t.test('an envoy that holds the current checkpoint costs one comparison', async (t) => {
  const { rows, ask, reads, later, told } = fixture();
  rows.checkpoint = { size: 9, mark: 77, note: 'nine' };
  t.equal(ask(9, 77), undefined);
  const before = reads();
  for (let count = 0; count < 1000; count++) ask(9, 77);
  t.equal(reads(), before, 'no read of the store');
  t.equal(ask(0, 0), undefined, 'an older agent is told nothing');
  later(1000);
  ask(9, 77);
  t.equal(reads(), before + 1);
  t.same(told, []);
});

t.test('another checkpoint comes with its proof, or is asked for', async (t) => {
  const { rows, ask, told } = fixture();
  t.equal(ask(0, 1), undefined, 'nothing is signed yet');
  rows.checkpoint = { size: 9, mark: 77, note: 'nine' };
  rows.proofs = { size: 9, from: { 5: Uint8Array.of(1, 2) } };
  t.match(ask(0, 1), { checkpoint: 'nine', consistencyProof: noBytes });
  t.same([...(ask(5, 3)?.consistencyProof ?? [])], [1, 2]);
  t.equal(ask(4, 3), undefined);
  t.equal(ask(4, 3), undefined);
  t.same(told, [{ type: 'wanted', payload: { size: 4 } }], 'once');
  rows.proofs = { size: 9, from: { 4: Uint8Array.of(7) } };
  t.same([...(ask(4, 3)?.consistencyProof ?? [])], [7]);
  t.match(ask(9, 5), { checkpoint: 'nine' }, 'a fork is told without one');
  t.match(ask(12, 5), { checkpoint: 'nine' }, 'and a cut');
});

t.test(
  'an envoy that learned of a checkpoint from another shard is not told an older one',
  async (t) => {
    const { rows, ask } = fixture();
    rows.checkpoint = { size: 9, mark: 77, note: 'nine' };
    ask(9, 77);
    rows.checkpoint = { size: 10, mark: 78, note: 'ten' };
    t.equal(ask(10, 78), undefined);
  },
);

t.test('cosignatures of the current checkpoint are passed on, so many and no more', async (t) => {
  const { rows, ask, told } = fixture();
  rows.checkpoint = { size: 9, mark: 77, note: 'nine' };
  const cosignature = new Uint8Array(72);
  ask(8, 1, cosignature);
  t.notOk(
    told.some(({ type }) => type === 'cosigned'),
    'not of an older one',
  );
  for (let count = 0; count < 100; count++) ask(9, 77, cosignature);
  t.equal(told.filter(({ type }) => type === 'cosigned').length, 64);
});

t.test('the word about a restore goes to whom it may concern', async (t) => {
  const { rows, ask } = fixture();
  const restored = { through: 20, entry: '[]', inclusionProof: noBytes };
  rows.checkpoint = { size: 9, mark: 77, note: 'nine', restored };
  t.match(ask(12, 5), { restored: { entry: '[]' } });
  t.equal(ask(21, 5)?.restored, undefined);
  t.equal(ask(0, 1)?.restored, undefined);
});
