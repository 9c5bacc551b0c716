import type { StateFiles } from '../../offline/state-files.ts';
import { parseCheckpoint } from '../../protocol/transparency/checkpoint.ts';
import { parseNote } from '../../protocol/transparency/note.ts';
import { loadEvidence, loadWitnessState } from '../../witness/witness-state.ts';
import type { AuditLogStatus } from './document.ts';

/** What this node has seen of the server's audit log; nothing before the first checkpoint. */
export async function auditLogStatus(
  files: StateFiles,
): Promise<{ readonly auditLog?: AuditLogStatus }> {
  const state = await loadWitnessState(files).catch(() => undefined);
  if (state === undefined) return {};
  const { conflict, restored, atMs } = state;
  return {
    auditLog: {
      entries: sizeOf(state.note),
      seenAtMs: atMs,
      contradictions: (await loadEvidence(files)).length,
      ...(conflict && {
        conflict: {
          code: conflict.code,
          sinceMs: conflict.sinceMs,
          offeredEntries: sizeOf(conflict.offered),
        },
      }),
      ...(restored && {
        restored: { by: restored.by, reason: restored.reason, acceptedAtMs: restored.acceptedAtMs },
      }),
    },
  };
}

function sizeOf(note: string): number {
  const text = parseNote(note)?.text;
  return text === undefined ? 0 : (parseCheckpoint(text)?.size ?? 0);
}
