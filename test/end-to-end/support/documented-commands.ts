import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFile } from '../../support/program.ts';

const main = programFile('admin/cli/main');

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs lines of a page as its reader would, in `work`, with `vigocli` on the path and a local server. */
export function shellWithVigocli(work: string, home: string): (line: string) => Promise<Outcome> {
  const program = join(work, 'vigocli');
  const flags = '--disable-warning=ExperimentalWarning';
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" ${flags} "${main}" "$@"\n`);
  chmodSync(program, 0o755);
  const path = `${work}:${process.env.PATH}`;
  const env = { PATH: path, VIGO_HOME: home, HOME: work, COLUMNS: '100' };
  const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];
  return (line) =>
    new Promise((resolve) => {
      const child = spawn('/bin/sh', ['-c', line], { cwd: work, env, stdio });
      let output = '';
      const take = (text: string) => {
        output += text;
      };
      child.stdout.setEncoding('utf8').on('data', take);
      child.stderr.setEncoding('utf8').on('data', take);
      child.once('close', (code) => resolve({ code, output }));
    });
}
