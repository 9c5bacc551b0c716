/**
 * What is lost when this fails: the browser calls a forged audit log proven, or an honest one forged.
 */
import t from 'tap';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { toBase64 } from '../../../agent/protocol/transparency/base64.ts';
import { fc } from '../../support/property.ts';
import { auditLogOf } from './audit-log-fixture.ts';

interface ProofModule {
  isIncluded(claim: object): Promise<boolean>;
  isContinued(older: object, newer: object, proof: readonly string[]): Promise<boolean>;
  isSigned(checkpoint: object): Promise<boolean | undefined>;
}

// A browser module: node runs it too, as far as it touches no page.
const address = new URL('../../../admin/web/assets/audit-proof.js', import.meta.url).href;
const { isIncluded, isContinued, isSigned } = (await import(address)) as ProofModule;

const eventsOf = (count: number, mark = ''): AuditEvent[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `${at}${mark}`,
    atMs: at,
    type: 'policy.published',
    actor: 'admin:äöü',
    subject: '',
    details: { version: at },
  }));
const biggest = 40;
const log = auditLogOf(eventsOf(biggest));
const other = auditLogOf(eventsOf(biggest, 'x'));
const claimOf = (sequence: number, size: number) => {
  const { entry, index, proof, checkpoint } = log.inclusion(sequence, size);
  return { entry, index, size, proof, root: checkpoint.root };
};
const sizes = fc.tuple(fc.integer({ min: 1, max: biggest }), fc.integer({ min: 1, max: biggest }));
const flipped = (base64: string) =>
  toBase64(
    Uint8Array.from(Buffer.from(base64, 'base64'), (byte, at) => (at === 5 ? byte ^ 1 : byte)),
  );

t.test('every entry is proven under every checkpoint above it, and under no other', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, async ([one, another]) => {
      const [sequence, size] = [Math.min(one, another), Math.max(one, another)];
      const claim = claimOf(sequence, size);
      const holds = await isIncluded(claim);
      const elsewhere = await isIncluded({ ...claim, root: other.checkpoint(size).root });
      const forged = await isIncluded({ ...claim, entry: `${claim.entry} ` });
      const cut = await isIncluded({ ...claim, proof: [...claim.proof, claim.root] });
      const moved = await isIncluded({ ...claim, index: claim.index + 1 });
      const isLast = sequence === size;
      return holds && !elsewhere && !forged && !cut && (!moved || isLast);
    }),
  );
});

t.test('a log that goes on is told from one that was rewritten, cut or forked', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, async ([one, another]) => {
      const [from, to] = [Math.min(one, another), Math.max(one, another)];
      const { proof } = log.consistency(from, to);
      const holds = await isContinued(log.checkpoint(from), log.checkpoint(to), proof);
      const rewritten = await isContinued(other.checkpoint(from), log.checkpoint(to), proof);
      const forked = await isContinued(log.checkpoint(from), other.checkpoint(to), proof);
      const backwards =
        from < to && (await isContinued(log.checkpoint(to), log.checkpoint(from), []));
      const bent =
        proof.length > 0 &&
        (await isContinued(log.checkpoint(from), log.checkpoint(to), proof.map(flipped)));
      return holds && !rewritten && !forked && !backwards && !bent;
    }),
  );
});

t.test('a checkpoint counts when its own key has signed exactly it', async (t) => {
  const checkpoint = log.checkpoint();
  t.equal(await isSigned(checkpoint), true);
  t.equal(await isSigned({ ...checkpoint, size: checkpoint.size - 1 }), false, 'another size');
  t.equal(await isSigned({ ...checkpoint, root: flipped(checkpoint.root) }), false, 'another root');
  const elsewhere = auditLogOf(eventsOf(biggest), 5).checkpoint();
  t.equal(await isSigned({ ...checkpoint, key: elsewhere.key }), false, 'the key of another log');
  const { origin, key } = elsewhere;
  t.equal(await isSigned({ ...checkpoint, origin, key }), false, 'and its name');
  const note = checkpoint.note.replace(/(.{6})\n$/, 'AAAAAA\n');
  t.equal(await isSigned({ ...checkpoint, note }), false, 'another signature');
});
