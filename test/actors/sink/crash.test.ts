import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { verifyChain } from '../../../actors/audit/chain.ts';
import { readAuditRows } from '../../../actors/sink/audit-rows.ts';
import { SinkQueries } from '../../../actors/sink/queries.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { envoyIdOf } from '../support/sink.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const child = new URL('../support/sink-child.ts', import.meta.url).pathname;

/** Runs the writing child until `acknowledgements` lines came, kills it, returns the last line. */
async function runAndKill(file: string, first: number, acknowledgements: number): Promise<number> {
  const writing: ChildProcess = spawn(process.execPath, [child, file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(writing, 'exit');
  let last = first - 1;
  let seen = 0;
  if (writing.stdout === null) throw new Error('no pipe');
  for await (const line of createInterface(writing.stdout)) {
    last = Number(line);
    seen += 1;
    if (seen === acknowledgements) writing.kill('SIGKILL');
  }
  await ended;
  return last;
}

t.test('a writer that is killed at any moment loses nothing that it acknowledged', async (t) => {
  const file = join(temporaryDirectory(t), 'vigo.db');
  let next = 1;
  for (const acknowledgements of [1, 7, 23, 4]) {
    const acknowledged = await runAndKill(file, next, acknowledgements);
    const head = await verifyChain(readAuditRows(file));
    t.ok(
      head.sequence >= acknowledged,
      `${acknowledged} acknowledged, ${head.sequence} in the log`,
    );
    const queries = new SinkQueries(file);
    t.ok(queries.findEnvoys(envoyIdOf(acknowledged)).length === 1, 'the last envoy is there');
    queries.close();
    const writer = new SinkWriter({ file, runsPerEnvoy: 10 });
    t.ok((await writer.progress(7)) >= acknowledged, 'the drained entries are there');
    writer.close();
    next = head.sequence + 1;
  }
});
