import { ServerError } from '../errors.ts';
import type { AuditRow } from './chain.ts';
import type { CheckpointView } from './view.ts';

/** Longest line of an export that is read. */
const exportLineLimit = 1_048_576;

const checkpointStart = '{"checkpoint":';

/** One line of an export: a row as JSON, without the line feed. */
export function exportLine(row: AuditRow): string {
  return JSON.stringify({ sequence: row.sequence, ...row.event, hash: row.hash });
}

/** The line that carries the signed checkpoint over the entries. */
export function checkpointLine(checkpoint: CheckpointView): string {
  return JSON.stringify({ checkpoint });
}

/**
 * Rows of an export (JSON lines); its checkpoint goes to `found`. Throws AUDIT_UNREADABLE with the
 * line's number.
 */
export async function* readExport(
  lines: AsyncIterable<string>,
  file: string,
  found: (checkpoint: CheckpointView) => void = () => undefined,
): AsyncGenerator<AuditRow> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const checkpoint = line.startsWith(checkpointStart) ? parseCheckpointLine(line) : undefined;
    if (checkpoint !== undefined) {
      found(checkpoint);
      continue;
    }
    const row = line.length > exportLineLimit ? undefined : parseLine(line);
    if (row === undefined) {
      const reason = `line ${number} is not an audit entry`;
      throw new ServerError('AUDIT_UNREADABLE', { file, reason });
    }
    yield row;
  }
}

function parseCheckpointLine(line: string): CheckpointView | undefined {
  try {
    const { checkpoint } = JSON.parse(line) as { checkpoint: Partial<CheckpointView> };
    const { note, key, witnesses } = checkpoint;
    if (typeof note !== 'string' || typeof key !== 'string') return undefined;
    return Array.isArray(witnesses) ? (checkpoint as CheckpointView) : undefined;
  } catch {
    return undefined;
  }
}

function parseLine(line: string): AuditRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const { sequence, id, atMs, type, actor, subject, details, traceparent, hash } = fields;
  const texts = [id, type, actor, subject, hash];
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(atMs)) return undefined;
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return undefined;
  if (traceparent !== undefined && typeof traceparent !== 'string') return undefined;
  return {
    sequence: sequence as number,
    hash: hash as string,
    event: {
      id: id as string,
      atMs: atMs as number,
      type: type as string,
      actor: actor as string,
      subject: subject as string,
      details: details as AuditRow['event']['details'],
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}
