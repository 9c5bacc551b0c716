import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AdminError } from '../errors.ts';
import type { Connection } from './connection.ts';

const stalledMs = 60_000;
const privateFileMode = 0o600;

export interface DownloadOrder {
  readonly connection: Connection;
  readonly path: string;
  readonly file: string;
  /** Hex; what arrives must have it. */
  readonly sha256: string;
  readonly overwrite: boolean;
  /** Hears how many bytes have come. */
  tell(bytes: number): void;
}

/**
 * Fetches a file for its owner only (mode 0600). It has its name when it is whole and on disk, not before.
 * Throws CLI_FILE_UNWRITABLE, CLI_UNREACHABLE or CLI_FAILED.
 */
export async function download(order: DownloadOrder): Promise<void> {
  const { file, sha256, overwrite, tell } = order;
  if (!overwrite && existsSync(file)) {
    const remedy = 'name another file, or add --force';
    throw new AdminError('CLI_FILE_UNWRITABLE', `${file} is there already`, undefined, remedy);
  }
  const draft = `${file}.part`;
  await rm(draft, { force: true }).catch(() => undefined);
  const hash = createHash('sha256');
  let size = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      tell(size);
      done(null, chunk);
    },
  });
  try {
    const answer = await ask(order);
    const output = createWriteStream(draft, { mode: privateFileMode, flags: 'wx' });
    await pipeline(answer, measured, output);
    if (hash.digest('hex') !== sha256) {
      throw new AdminError('CLI_FAILED', 'what arrived is not what the server has');
    }
    await sync(draft);
    await rename(draft, file);
    await sync(dirname(file));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    if (error instanceof AdminError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const isOwn = 'path' in (error as object);
    throw new AdminError(isOwn ? 'CLI_FILE_UNWRITABLE' : 'CLI_UNREACHABLE', reason);
  }
}

function ask({ connection, path }: DownloadOrder): Promise<NodeJS.ReadableStream> {
  const { host, port, caPem: ca, token } = connection;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const timeout = stalledMs;
  const options = { host, port, path, ca, headers, timeout, agent: false } as const;
  return new Promise((resolve, reject) => {
    const call = request({ ...options, minVersion: 'TLSv1.3' }, (answer) => {
      if (answer.statusCode === 200) return resolve(answer);
      answer.resume();
      reject(new AdminError('CLI_FAILED', `the server answered with status ${answer.statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error(`nothing came in ${stalledMs} ms`)));
    call.on('error', reject);
    call.end();
  });
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
