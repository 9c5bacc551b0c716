import { spawn } from 'node:child_process';

export interface RunOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function execute(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  stdin = '',
): Promise<RunOutcome> {
  return new Promise((done, fail) => {
    const child = spawn(program, words, { env });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    child.once('error', fail);
    child.once('close', (code) => done({ exitCode: code ?? -1, ...output }));
  });
}

/** Its standard output; anything other than exit code 0 throws. */
export async function succeed(running: Promise<RunOutcome>, what: string): Promise<string> {
  const outcome = await running;
  if (outcome.exitCode === 0) return outcome.stdout;
  throw new Error(`${what}: exit code ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`);
}
