import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';

/**
 * Makes this process the only agent on a state directory until it ends or `release` is called: it
 * listens on a local address made from the directory's name. On Linux that address is in no file
 * system, so nothing stale can stay behind; elsewhere a socket that nobody answers is taken over.
 * Throws AGENT_ANOTHER_RUNS.
 */
export async function lockInstance(directory: string): Promise<() => void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const digest = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const name = `vigo-agent-${digest}`;
  if (process.platform === 'linux') return listen(`\0${name}`, directory);
  const path = join(tmpdir(), `${name}.sock`);
  if (!(await answers(path))) rmSync(path, { force: true });
  return listen(path, directory);
}

function listen(address: string, directory: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause) =>
      reject(new AgentError('AGENT_ANOTHER_RUNS', directory, { cause })),
    );
    server.listen(address, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
