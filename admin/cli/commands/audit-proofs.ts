import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { AuditRow } from '../../../actors/audit/chain.ts';
import type { CheckpointView, InclusionView } from '../../api/backend.ts';
import { AdminError } from '../../errors.ts';
import type { VerifiedLog } from '../audit/verify-log.ts';
import type { OpenSession, Session } from '../session.ts';
import { printable } from '../terminal-text.ts';
import { clockTime, fieldLines, plural } from '../words.ts';
import { wholeLog } from './audit.ts';

interface VerifyOptions {
  readonly file?: string;
  readonly key?: string;
  readonly expectHead?: string;
  readonly memory?: string;
}

const memoryHelp = 'directory of what was seen before (also VIGO_AUDIT_MEMORY; "off" = none)';

export function addAuditProofCommands(audit: Command, open: OpenSession): void {
  audit
    .command('show <sequence>')
    .description('show one entry, after verifying that it stands under the signed checkpoint')
    .action(async (sequence: string) => {
      const it = await open();
      const proof = await fetchProof(it, sequence);
      const { openProof } = await import('../audit/proofs.ts');
      const { fields, witnesses } = openProof(proof);
      it.print({ ...fields, verified: true, checkpoint: proof.size, witnesses }, () =>
        [
          fieldLines(entryLines(fields)),
          `${styleText('green', 'Proven')} under the checkpoint of ${entriesWord(proof.size)}, ` +
            `witnessed by ${plural(witnesses, 'envoy', 'envoys')}.`,
        ].join('\n'),
      );
    });

  audit
    .command('prove <sequence>')
    .description('print the proof that an entry is in the log, as JSON, for somebody else')
    .action(async (sequence: string) => {
      const it = await open();
      const proof = await fetchProof(it, sequence);
      const { openProof } = await import('../audit/proofs.ts');
      openProof(proof);
      process.stdout.write(`${JSON.stringify(proof, undefined, 2)}\n`);
    });
  addMemoryCommands(audit, open);
}

/** What compares the log with what was seen of it before. */
function addMemoryCommands(audit: Command, open: OpenSession): void {
  audit
    .command('checkpoint')
    .description('print the signed checkpoint, after verifying that it continues the last one seen')
    .option('--memory <dir>', memoryHelp)
    .action(async (options: { memory?: string }) => {
      const it = await open();
      const { followCheckpoint } = await import('../audit/proofs.ts');
      const { view, witnesses, continues } = await followCheckpoint(it, options.memory);
      const { note, key, size, root, origin } = view;
      it.print({ origin, size, root, key, note, witnesses, continues: continues ?? null }, () =>
        note.trimEnd(),
      );
      it.note(
        `\nWitnessed by ${plural(witnesses, 'envoy', 'envoys')}. ` +
          (continues === undefined
            ? 'Nothing of this log was remembered before.'
            : `It continues the log of ${entriesWord(continues)} that was seen last.`),
      );
    });

  audit
    .command('forget')
    .description('forget what was seen of this log, after a restore that you know to be honest')
    .option('--memory <dir>', memoryHelp)
    .action(async (options: { memory?: string }) => {
      const it = await open();
      const { AuditMemory } = await import('../audit/memory.ts');
      const forgotten = AuditMemory.open(options.memory, process.env).forget(it.connection.caPem);
      it.print({ forgotten }, () =>
        forgotten ? 'Forgotten: the next verification begins anew.' : 'Nothing was remembered.',
      );
    });

  audit
    .command('verify')
    .description('verify the whole log here: its chain, its tree, its checkpoint, and its past')
    .option('--file <export>', 'check this export, without a server')
    .option('--key <key>', "the log's key, as `audit checkpoint --json` names it")
    .option('--expect-head <hash>', 'a head of the chain noted earlier, which the log must contain')
    .option('--memory <dir>', memoryHelp)
    .action(async (options: VerifyOptions) => {
      const it = await open();
      printVerified(it, await (options.file ? verifyExport(options) : verifyServer(it, options)));
    });
}

async function verifyServer(it: Session, options: VerifyOptions): Promise<VerifiedLog> {
  const { verifyLog } = await import('../audit/verify-log.ts');
  const { AuditMemory } = await import('../audit/memory.ts');
  const memory = AuditMemory.open(options.memory, process.env);
  const { caPem } = it.connection;
  const view = await it.client.get<CheckpointView>('/api/v1/audit/checkpoint');
  const verified = await verifyLog({
    rows: wholeLog(it.client),
    checkpoint: () => view,
    remembered: memory.recall(caPem),
    key: options.key,
    expectedHead: options.expectHead,
  });
  const leaves = Buffer.from(verified.leaves).toString('base64');
  memory.remember(caPem, { key: view.key, note: view.note, leaves });
  return verified;
}

async function verifyExport({ file = '', ...options }: VerifyOptions): Promise<VerifiedLog> {
  const { verifyLog } = await import('../audit/verify-log.ts');
  const { AuditMemory } = await import('../audit/memory.ts');
  const memory = AuditMemory.open(options.memory, process.env);
  let view: CheckpointView | undefined;
  const rows = exportedRows(file, (found) => {
    view = found;
  });
  // The checkpoint stands first; only with it is known whose log this is.
  const first = await rows.next();
  const origin = view?.note.split('\n', 1)[0];
  return await verifyLog({
    rows: withFirst(first, rows),
    checkpoint: () => view,
    remembered: origin === undefined ? undefined : memory.recallOrigin(origin),
    key: options.key,
    expectedHead: options.expectHead,
  });
}

async function* withFirst(
  first: IteratorResult<AuditRow>,
  rest: AsyncGenerator<AuditRow>,
): AsyncGenerator<AuditRow> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function* exportedRows(
  path: string,
  found: (checkpoint: CheckpointView) => void,
): AsyncGenerator<AuditRow> {
  const { open } = await import('node:fs/promises');
  const { readExport } = await import('../../../actors/audit/export.ts');
  try {
    const file = await open(path);
    yield* readExport(file.readLines(), path, found);
  } catch (error) {
    const { syscall, message, code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('AUDIT_')) throw new AdminError('CLI_AUDIT_BROKEN', message, { code });
    throw syscall === undefined ? error : new AdminError('CLI_FILE_UNREADABLE', message);
  }
}

async function fetchProof(it: Session, sequence: string): Promise<InclusionView> {
  if (!/^[1-9]\d{0,15}$/.test(sequence))
    throw new AdminError('CLI_USAGE', `"${sequence}" is not the number of an entry`);
  return await it.client.get<InclusionView>(`/api/v1/audit/entries/${sequence}/proof`);
}

function entryLines(fields: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(fields).map(([name, value]) => {
    if (name === 'atMs') return ['when', clockTime(Number(value))];
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return [name, printable(text)];
  });
}

function printVerified(it: Session, verified: VerifiedLog): void {
  const { head, checkpoint, witnesses, continues } = verified;
  const value = {
    verified: true,
    entries: head.sequence,
    head: head.hash,
    checkpoint: checkpoint?.size ?? null,
    witnesses,
    continues: continues ?? null,
  };
  it.print(value, () => {
    const lines = [
      `${styleText('green', 'The log verifies')}: ${entriesWord(head.sequence)}, chain and tree.`,
      `Head: ${head.hash}`,
    ];
    if (checkpoint !== undefined)
      lines.push(
        `Checkpoint: ${entriesWord(checkpoint.size)}, signed by ${checkpoint.origin}, ` +
          `witnessed by ${plural(witnesses, 'envoy', 'envoys')}`,
      );
    if (continues !== undefined)
      lines.push(`It continues the log of ${entriesWord(continues)} that was verified last.`);
    return lines.join('\n');
  });
  if (continues === undefined && checkpoint === undefined)
    it.note('Without a checkpoint only a head noted elsewhere (--expect-head) shows a cut.');
}

function entriesWord(count: number): string {
  return plural(count, 'entry', 'entries');
}
