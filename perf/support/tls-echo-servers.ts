import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** PEM files. */
export interface EchoIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** A process that answers each 300 bytes by 190 over mTLS, on a port of loopback. */
export interface EchoServer {
  readonly pid: number;
  readonly port: number;
  stop(): void;
}

/** Node's `tls`. */
export async function startNodeEcho(identity: EchoIdentity): Promise<EchoServer> {
  const entry = new URL('tls-echo-entry.ts', import.meta.url).pathname;
  const child = fork(entry, wordsOf(identity));
  const [port] = (await once(child, 'message')) as [number];
  return serverOf(child, port);
}

/**
 * epoll and OpenSSL without Node.js (tls-echo.c). `directory`: where the program is built. Throws an Error that names
 * what to install when it cannot be built.
 */
export async function startNativeEcho(
  identity: EchoIdentity,
  directory: string,
): Promise<EchoServer> {
  const program = join(directory, 'tls-echo');
  build(program);
  const child = spawn(program, wordsOf(identity), { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const port = await Promise.race([
    once(lines, 'line').then(([line]) => Number(line)),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`tls-echo ended: ${code}`))),
  ]);
  return serverOf(child, port);
}

function build(program: string): void {
  const source = new URL('tls-echo.c', import.meta.url).pathname;
  try {
    execFileSync('cc', ['-O2', '-Wall', '-o', program, source, '-lssl', '-lcrypto'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr || (error as Error).message;
    const reason = said.split('\n').find((line) => /error|ENOENT/.test(line)) ?? said;
    throw new Error(`tls-echo.c does not compile (apt-get install gcc libssl-dev): ${reason}`);
  }
}

function wordsOf({ certificate, key, authority }: EchoIdentity): string[] {
  return [certificate, key, authority];
}

function serverOf(child: ChildProcess, port: number): EchoServer {
  return { pid: child.pid ?? 0, port, stop: () => void child.kill() };
}
