import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import type { LiveFacts, RunningAgent } from '../live-facts.ts';
import { type SocketHolder, socketHolder } from './socket-holder.ts';

/** An agent that is busy for longer than this counts as running, but silent. */
const answerWithinMs = 2000;
const answerLimit = 64 * 1024;
/** Askers at the same time; further ones are turned away. */
const askerLimit = 16;
/** Names that are tried when strangers hold them. */
const turnLimit = 8;

/**
 * Makes this process the only agent on a state directory until it ends or `release` is called: it
 * listens on a local address made from the directory's name. On Linux that address is in no file
 * system, so nothing stale can stay behind; elsewhere a socket that nobody answers is taken over.
 * Whoever connects gets what `tell` says, as JSON, and is hung up on; nothing is read from him.
 * Throws AGENT_ANOTHER_RUNS and AGENT_LOCK_TAKEN.
 */
export async function lockInstance(
  directory: string,
  tell: () => Partial<LiveFacts>,
): Promise<() => void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (process.platform !== 'linux') {
    const address = fileAddressOf(directory);
    if ((await ask(address)) === undefined) rmSync(address, { force: true });
    return listen(address, directory, tell);
  }
  for (let turn = 0; ; turn += 1) {
    const name = nameOf(directory, turn);
    try {
      return await listen(`\0${name}`, directory, tell);
    } catch (error) {
      const stranger = strangerOn(name);
      if (stranger === undefined) throw error;
      if (turn === turnLimit) {
        const { pid, uid } = stranger;
        throw new AgentError('AGENT_LOCK_TAKEN', `process ${pid} of user ${uid}`, { cause: error });
      }
    }
  }
}

/**
 * Names outside of the file system are anybody's. One that a user without rights to the state
 * directory has taken, to keep the agent from starting, is passed over for the next.
 */
function strangerOn(name: string): SocketHolder | undefined {
  const holder = socketHolder(name);
  const known = holder !== undefined && holder.uid !== -1;
  return known && holder.uid !== 0 && holder.uid !== process.geteuid?.() ? holder : undefined;
}

/** Undefined when no agent runs on this directory, or when that cannot be found out. */
export async function askRunning(directory: string): Promise<RunningAgent | undefined> {
  if (!existsSync(directory)) return undefined;
  let silent: RunningAgent | undefined;
  for (const address of addressesOf(directory)) {
    const text = await ask(address);
    if (text === undefined) return silent;
    const answer = parseAnswer(text);
    if (answer.pid !== undefined) return answer;
    silent ??= answer;
  }
  return silent;
}

/** In the order in which agents take them; where a stranger stands, only root can tell. */
function* addressesOf(directory: string): Generator<string> {
  if (process.platform !== 'linux') {
    yield fileAddressOf(directory);
    return;
  }
  for (let turn = 0; turn <= turnLimit; turn += 1) {
    const name = nameOf(directory, turn);
    if (strangerOn(name) === undefined) yield `\0${name}`;
  }
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

/** `turn` 0 is the name that every agent tries first. */
function nameOf(directory: string, turn: number): string {
  const digest = createHash('sha256').update(realPath(directory)).digest('hex').slice(0, 32);
  return turn === 0 ? `vigo-agent-${digest}` : `vigo-agent-${digest}-${turn}`;
}

function fileAddressOf(directory: string): string {
  return join(tmpdir(), `${nameOf(directory, 0)}.sock`);
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
