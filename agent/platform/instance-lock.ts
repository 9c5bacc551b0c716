import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import type { LiveFacts, RunningAgent } from '../live-facts.ts';

/** An agent that is busy for longer than this counts as running, but silent. */
const answerWithinMs = 2000;
const answerLimit = 64 * 1024;
/** Askers at the same time; further ones are turned away. */
const askerLimit = 16;

/**
 * Makes this process the only agent on a state directory until it ends or `release` is called: it
 * listens on a local address made from the directory's name. On Linux that address is in no file
 * system, so nothing stale can stay behind; elsewhere a socket that nobody answers is taken over.
 * Whoever connects gets what `tell` says, as JSON, and is hung up on; nothing is read from him.
 * Throws AGENT_ANOTHER_RUNS.
 */
export async function lockInstance(
  directory: string,
  tell: () => Partial<LiveFacts>,
): Promise<() => void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const address = addressOf(directory);
  if (process.platform !== 'linux' && (await ask(address)) === undefined)
    rmSync(address, { force: true });
  return listen(address, directory, tell);
}

/** Undefined when no agent runs on this directory, or when that cannot be found out. */
export async function askRunning(directory: string): Promise<RunningAgent | undefined> {
  let text: string | undefined;
  try {
    text = await ask(addressOf(directory));
  } catch {
    return undefined;
  }
  return text === undefined ? undefined : parseAnswer(text);
}

function parseAnswer(text: string): RunningAgent {
  const silent = { pid: undefined, facts: {} };
  try {
    const { pid, ...facts } = JSON.parse(text) as Partial<LiveFacts> & { pid?: unknown };
    return { pid: Number.isSafeInteger(pid) ? Number(pid) : undefined, facts };
  } catch {
    return silent;
  }
}

function addressOf(directory: string): string {
  const digest = createHash('sha256').update(realPath(directory)).digest('hex').slice(0, 32);
  const name = `vigo-agent-${digest}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

/** Who may not look for links asks under the name that he has. */
function realPath(directory: string): string {
  try {
    return realpathSync(directory);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') return directory;
    throw cause;
  }
}

function listen(
  address: string,
  directory: string,
  tell: () => Partial<LiveFacts>,
): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.setTimeout(answerWithinMs, () => socket.destroy());
      socket.end(JSON.stringify({ pid: process.pid, ...tell() }), () => socket.destroy());
    });
    server.maxConnections = askerLimit;
    server.once('error', (cause) =>
      reject(new AgentError('AGENT_ANOTHER_RUNS', directory, { cause })),
    );
    server.listen(address, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

/** Undefined when nobody listens; "" from one who says nothing in time. */
function ask(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let connected = false;
    let text = '';
    const socket = connect(address, () => {
      connected = true;
    });
    socket.setTimeout(answerWithinMs, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > answerLimit) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(connected ? text : undefined));
  });
}
