import { spawn } from 'node:child_process';
import { programFile } from '../../support/program.ts';

const main = programFile('admin/cli/main');

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly complaint: string;
}

/** Runs vigocli in an environment of its own; `global` stands before the other arguments. */
export function cli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const env = {
    PATH: process.env.PATH ?? '',
    COLUMNS: '100',
    VIGO_AUDIT_MEMORY: 'off',
    ...environment,
  };
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let out = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.once('close', (code) => resolve({ code, out, complaint }));
  });
}
