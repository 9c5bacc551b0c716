import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { nodeDisk } from '../../runtime/ports/node-disk.ts';
import { ServerError } from '../errors.ts';
import type { MeasuredArtefact, ReadReleasePart, ReleaseFiles } from '../releases/release-files.ts';

const fileMode = 0o644;

/** The agents directory by Node. Everything that fails is RELEASE_DISK or RELEASE_MALFORMED. */
export function nodeReleaseFiles(directory: string): ReleaseFiles {
  const disk = nodeDisk();
  const path = (name: string) => join(directory, name);
  const guarded = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof ServerError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ServerError('RELEASE_DISK', { reason }, { cause });
    }
  };
  return {
    list: () =>
      guarded(async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        return await readdir(directory);
      }),
    read: (name) => guarded(() => optional(readFile(path(name)))),
    write: (name, content) => guarded(() => disk.writeDurable(path(name), content, fileMode)),
    size: (name) => guarded(async () => (await optional(stat(path(name))))?.size ?? 0),
    append: (name, offset, data) => guarded(() => append(path(name), offset, data)),
    rename: (from, to) => guarded(() => disk.rename(path(from), path(to))),
    remove: (name) => guarded(() => rm(path(name), { force: true })),
    measure: (name, limit) => guarded(() => measure(path(name), limit)),
  };
}

/** Reads for shards. */
export function nodeReleaseParts(directory: string): ReadReleasePart {
  return async (name, offset, length) => {
    const file = await open(join(directory, name), 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  };
}

async function append(path: string, offset: number, data: Uint8Array): Promise<void> {
  const file = await open(path, offset === 0 ? 'w' : 'r+', fileMode);
  try {
    await file.truncate(offset);
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await file.write(data, done, data.length - done, offset + done);
      done += bytesWritten;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function measure(path: string, limit: number): Promise<MeasuredArtefact> {
  const whole = counter(limit);
  await pipeline(createReadStream(path), whole.sink);
  const unpacked = counter(limit);
  try {
    await pipeline(createReadStream(path), createGunzip(), unpacked.sink);
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    const reason = 'what was uploaded is no gzip file';
    throw new ServerError('RELEASE_MALFORMED', { reason }, { cause });
  }
  const [download, program] = [whole.result(), unpacked.result()];
  return {
    downloadSize: download.size,
    downloadSha256: download.sha256,
    size: program.size,
    sha256: program.sha256,
  };
}

function counter(limit: number) {
  const hash = createHash('sha256');
  let size = 0;
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      const reason = `it has more than ${limit} bytes`;
      done(size > limit ? new ServerError('RELEASE_MALFORMED', { reason }) : null);
    },
  });
  return { sink, result: () => ({ size, sha256: new Uint8Array(hash.digest()) }) };
}

async function optional<T>(attempt: Promise<T>): Promise<T | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
