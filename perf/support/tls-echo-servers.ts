import {
  type ChildProcess,
  type ChildProcessByStdio,
  execFileSync,
  fork,
  spawn,
} from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The port comes on standard output. */
const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];

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
export function startNodeEcho(identity: EchoIdentity): Promise<EchoServer> {
  return startFork('tls-echo-entry.ts', identity);
}

/** Node's `tls` for the handshake, and our records after it: what the server does. */
export function startVigoEcho(identity: EchoIdentity): Promise<EchoServer> {
  return startFork('tls-echo-vigo-entry.ts', identity);
}

async function startFork(name: string, identity: EchoIdentity): Promise<EchoServer> {
  const entry = new URL(name, import.meta.url).pathname;
  const child = fork(entry, wordsOf(identity));
  const [port] = (await once(child, 'message')) as [number];
  return serverOf(child, port);
}

/** epoll and OpenSSL in a process without Node.js. `directory`: where it is built. */
export async function startNativeEcho(
  identity: EchoIdentity,
  directory: string,
): Promise<EchoServer> {
  const program = join(directory, 'tls-echo');
  build(program, ['-lssl', '-lcrypto'], 'gcc libssl-dev');
  return serverOnStdout(spawn(program, wordsOf(identity), { stdio }));
}

/** The same inside of Node.js and on its OpenSSL, with one call of JavaScript per answer. */
export async function startAddonEcho(
  identity: EchoIdentity,
  directory: string,
): Promise<EchoServer> {
  const program = join(directory, 'tls-echo.node');
  const headers = join(process.execPath, '../../include/node');
  build(program, ['-DTLS_ECHO_ADDON', '-shared', '-fPIC', `-I${headers}`], 'gcc libc6-dev');
  const entry = new URL('tls-echo-addon-entry.ts', import.meta.url).pathname;
  return serverOnStdout(spawn(process.execPath, [entry, program, ...wordsOf(identity)], { stdio }));
}

async function serverOnStdout(
  child: ChildProcessByStdio<null, Readable, null>,
): Promise<EchoServer> {
  const lines = createInterface({ input: child.stdout });
  const port = await Promise.race([
    once(lines, 'line').then(([line]) => Number(line)),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`tls-echo ended: ${code}`))),
  ]);
  return serverOf(child, port);
}

/** `packages`: what apt-get has to install for it. */
function build(program: string, flags: readonly string[], packages: string): void {
  const source = new URL('tls-echo.c', import.meta.url).pathname;
  try {
    execFileSync('cc', ['-O2', '-Wall', '-o', program, source, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr || (error as Error).message;
    const reason = said.split('\n').find((line) => /error|ENOENT/.test(line)) ?? said;
    throw new Error(`tls-echo.c does not compile (apt-get install ${packages}): ${reason}`);
  }
}

function wordsOf({ certificate, key, authority }: EchoIdentity): string[] {
  return [certificate, key, authority];
}

function serverOf(child: ChildProcess, port: number): EchoServer {
  return { pid: child.pid ?? 0, port, stop: () => void child.kill() };
}
