import { writeSync } from 'node:fs';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { auditEvent, envoyRecord, reportEntry } from './sink.ts';

/** Writes until it is killed; says "n" on stdout only after write number n was acknowledged. */
const [file = '', first = '1'] = process.argv.slice(2);
const writer = new SinkWriter({ file, runsPerEnvoy: 100_000 });
await writer.open();
if (first === '1') await writer.write([envoyRecord(0)], []);
for (let number = Number(first); ; number++) {
  await writer.write([envoyRecord(number)], [auditEvent(`event-${number}`)]);
  await writer.drain('shard-1', [reportEntry(number, 0, number)]);
  writeSync(1, `${number}\n`);
}
