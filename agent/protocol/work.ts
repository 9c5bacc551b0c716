import { type CanonicalWriter, workDomain } from './canonical.ts';
import type { TaskDispatch, WorkItem } from './gen/vigo/v1/work.ts';

/**
 * What a dispatch's signature covers: domain, dispatch id, envoy id, times, and the action with
 * every one of its parameters. Valid until the writer starts again.
 */
export function workBytes(work: WorkItem, writer: CanonicalWriter): Uint8Array {
  writer
    .start(workDomain)
    .bytes(work.dispatchId)
    .bytes(work.envoyId)
    .number(work.issuedAtMs)
    .number(work.expiresAtMs)
    .text(work.item?.$case ?? '');
  if (work.item?.$case === 'task') writeTask(work.item.value, writer);
  if (work.item?.$case === 'query') {
    const { query, timeoutMs, rowLimit } = work.item.value;
    writer.text(query).number(timeoutMs).number(rowLimit);
  }
  return writer.finish();
}

/** Parameters in the order of their names; their count precedes them. */
function writeTask(task: TaskDispatch, writer: CanonicalWriter): void {
  const names = Object.keys(task.parameters).sort();
  writer.text(task.command).number(task.timeoutMs).number(task.nice).number(names.length);
  for (const name of names) writer.text(name).text(task.parameters[name] ?? '');
}
