import { closeSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../actors/errors.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { auditEvent, envoyRecord, reportEntry } from './sink.ts';

/**
 * On a small file system of its own: writes, fills the disk, sees the coded refusal, makes room and
 * goes on. Prints what happened as one line of JSON.
 */
const [directory = ''] = process.argv.slice(2);
const writer = new SinkWriter({ file: join(directory, 'vigo.db'), runsPerEnvoy: 100_000 });
await writer.write([envoyRecord(0)], [auditEvent('first')]);
const ballast = join(directory, 'ballast');
fill(ballast);

let acknowledged = 0;
let code = '';
for (let number = 1; number < 5000 && code === ''; number++) {
  try {
    await writer.write([envoyRecord(number)], [auditEvent(`event-${number}`)]);
    acknowledged = number;
  } catch (error) {
    code = codeOf(error);
  }
}
const drained = await writer.drain('shard', [reportEntry(1, 0, 1)]).then(
  () => 'drained',
  (error: unknown) => codeOf(error),
);
rmSync(ballast);
const head = await writer.write([envoyRecord(acknowledged + 1)], [auditEvent('after')]);
const result = await writer.drain('shard', [reportEntry(1, 0, 1)]);
const envoys = (await writer.identities('', 5000)).length;
writer.close();
console.log(JSON.stringify({ acknowledged, code, drained, head: head.sequence, envoys, result }));

function fill(path: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(bsize, 1);
  // Some room is left: the first writes go through, then one does not.
  for (let left = bavail - 60; left > 0; left--) writeSync(file, block);
  ftruncateSync(file, Math.max(0, (bavail - 60) * bsize));
  closeSync(file);
}
