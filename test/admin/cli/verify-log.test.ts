/**
 * What is lost when this fails: an auditor's copy of the log, or the log of a server, is forged and
 * `vigocli audit verify` calls it whole, or does not say where to look.
 */
import t from 'tap';
import { type AuditRow, appendToChain, genesisHead } from '../../../actors/audit/chain.ts';
import type { AuditEvent } from '../../../actors/audit/event.ts';
import { entryHash, nodeSha256 } from '../../../actors/audit/leaf.ts';
import { GrowingTree } from '../../../actors/audit/tree.ts';
import { type CheckpointView, checkpointView } from '../../../actors/audit/view.ts';
import type { RememberedLog } from '../../../admin/cli/audit/memory.ts';
import { type VerifiedLog, verifyLog } from '../../../admin/cli/audit/verify-log.ts';
import { nodeSigner } from '../../../agent/platform/crypto.ts';
import { cosign, signCheckpoint } from '../../../agent/protocol/transparency/checkpoint.ts';
import { parseNote } from '../../../agent/protocol/transparency/note.ts';
import { fc } from '../../support/property.ts';

const serverKey = nodeSigner(new Uint8Array(32).fill(5));
const thiefKey = nodeSigner(new Uint8Array(32).fill(6));
const witnessSigner = nodeSigner(new Uint8Array(32).fill(7));

function eventOf(name: string): AuditEvent {
  const texts = { type: 'token.created', actor: `admin:${name}`, subject: name };
  return { id: name, atMs: 1_900_000_000_000, ...texts, details: {} };
}

/** A log whose chain and tree are right, as whoever has the database can make it. */
function logOf(names: readonly string[], signer = serverKey) {
  const rows: AuditRow[] = [];
  const tree = new GrowingTree(0, [], nodeSha256);
  let head = genesisHead;
  for (const name of names) {
    const row = appendToChain(head, eventOf(name));
    head = row;
    rows.push(row);
    tree.add(entryHash(row));
  }
  const note = signCheckpoint({ size: tree.size, root: tree.root }, signer);
  const payload = Uint8Array.from(cosign(parseNote(note)!.text, 1_900_000_000, witnessSigner));
  const { publicKey } = witnessSigner;
  const witness = { envoyId: 'e1', hostname: 'web-1', publicKey, payload };
  const stored = { size: tree.size, root: tree.root, note, atMs: 1 };
  const view = checkpointView(stored, [witness], signer.publicKey);
  return { rows, view };
}

async function* streamed(rows: readonly AuditRow[]): AsyncGenerator<AuditRow> {
  yield* rows;
}

function verify(
  rows: readonly AuditRow[],
  view: CheckpointView | undefined,
  more: { remembered?: RememberedLog; key?: string; expectedHead?: string } = {},
): Promise<VerifiedLog> {
  return verifyLog({
    rows: streamed(rows),
    checkpoint: () => view,
    remembered: more.remembered,
    key: more.key,
    expectedHead: more.expectedHead,
  });
}

async function remember(names: readonly string[]): Promise<RememberedLog> {
  const { rows, view } = logOf(names);
  const { leaves } = await verify(rows, view);
  return { key: view.key, note: view.note, leaves: Buffer.from(leaves).toString('base64') };
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

t.test('a log that only grew verifies, with its witnesses', async (t) => {
  const remembered = await remember(names.slice(0, 4));
  const { rows, view } = logOf(names);
  t.match(await verify(rows, view, { remembered }), { continues: 4, witnesses: 1 });
  const more = [...rows, appendToChain(rows.at(-1)!, eventOf('h'))];
  t.match(await verify(more, view), { head: { sequence: 8 }, checkpoint: { size: 7 } });
  t.match(await verify(rows, undefined), { checkpoint: undefined, witnesses: 0 });
});

t.test('a log that was made anew is found out, and the first bad entry named', async (t) => {
  const remembered = await remember(names);
  const cases: Record<string, readonly [readonly string[], string, number | undefined]> = {
    rewritten: [names.with(2, 'X'), 'AUDIT_REWRITTEN', 3],
    'one deleted': [names.toSpliced(4, 1), 'AUDIT_REWRITTEN', 5],
    'one inserted': [names.toSpliced(1, 0, 'X'), 'AUDIT_REWRITTEN', 2],
    truncated: [names.slice(0, 5), 'AUDIT_TRUNCATED', 6],
    'cut and grown again': [[...names.slice(0, 5), 'X', 'Y', 'Z'], 'AUDIT_REWRITTEN', 6],
  };
  for (const [name, [changed, code, sequence]] of Object.entries(cases)) {
    const { rows, view } = logOf(changed);
    const fault = { code: 'CLI_AUDIT_BROKEN', details: { code, sequence } };
    await t.rejects(verify(rows, view, { remembered }), fault, name);
    await t.rejects(verify(rows, undefined, { remembered }), fault, `${name}, no checkpoint`);
  }
});

t.test('without a memory, whatever does not fit the signed checkpoint is found', async (t) => {
  const { rows, view } = logOf(names);
  const rejects = (forged: readonly AuditRow[], code: string) =>
    t.rejects(verify(forged, view), { code: 'CLI_AUDIT_BROKEN', details: { code } });
  await rejects(logOf(names.with(2, 'X')).rows, 'AUDIT_REWRITTEN');
  await rejects(rows.slice(0, 6), 'AUDIT_TRUNCATED');
  await rejects(rows.with(3, { ...rows[3]!, event: eventOf('X') }), 'AUDIT_CHAIN_BROKEN');
  const stolen = logOf(names.with(2, 'X'), thiefKey);
  await t.rejects(verify(stolen.rows, stolen.view, { key: view.key }), {
    code: 'CLI_AUDIT_BROKEN',
    details: { code: 'AUDIT_CHECKPOINT_SIGNATURE' },
  });
  await t.rejects(verify(rows, view, { expectedHead: 'f'.repeat(64) }), {
    code: 'CLI_AUDIT_BROKEN',
    details: { code: 'AUDIT_HEAD_MISMATCH' },
  });
  const otherWitness = {
    ...view,
    witnesses: view.witnesses.map((one) => ({ ...one, key: view.key })),
  };
  t.equal((await verify(rows, otherWitness)).witnesses, 0, 'a witness without its key is none');
});

t.test('any one change of any log that was seen is found at its place', async () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 2, maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(ids, fc.nat(), async (numbers, pick) => {
      const before = numbers.map(String);
      const at = pick % before.length;
      const remembered = await remember(before);
      const { rows, view } = logOf(before.with(at, 'changed'));
      const failure = await verify(rows, view, { remembered }).catch((error: unknown) => error);
      return (failure as { details?: { sequence?: number } }).details?.sequence === at + 1;
    }),
    { numRuns: 40 },
  );
});
