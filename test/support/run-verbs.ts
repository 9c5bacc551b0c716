/**
 * Runs command lines of vigocli one after the other in this process, each as its own call would, and prints
 * `[{code, out, complaint}]`. Standard input has the lines as JSON; starting a process for each would take minutes.
 */
import { readFileSync, writeSync } from 'node:fs';
import { runCli } from '../../admin/cli/run.ts';

const calls = JSON.parse(readFileSync(0, 'utf8')) as string[][];
const results: { code: number; out: string; complaint: string }[] = [];
process.stdout.setMaxListeners(0);
const streams = { out: process.stdout, complaint: process.stderr };
for (const args of calls) {
  const texts = { out: '', complaint: '' };
  for (const name of ['out', 'complaint'] as const) {
    streams[name].write = (chunk: string | Uint8Array) => {
      texts[name] += chunk.toString();
      return true;
    };
  }
  process.exitCode = 0;
  await runCli(['node', 'vigocli', ...args]);
  results.push({ code: Number(process.exitCode ?? 0), ...texts });
}
process.exitCode = 0;
writeSync(1, JSON.stringify(results));
