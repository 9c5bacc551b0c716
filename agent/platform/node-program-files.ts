import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AgentError } from '../errors.ts';
import type { ProgramEnd, ProgramFiles } from '../update/program-files.ts';
import { NodeProcesses } from './node-processes.ts';

const directoryMode = 0o755;
/** A note or a script; nothing that is read whole is larger. */
const readLimit = 64 * 1024;
const linkName = 'current';

/** The program directory by Node. */
export class NodeProgramFiles implements ProgramFiles {
  readonly directory: string;
  readonly #processes = new NodeProcesses();

  constructor(directory: string) {
    this.directory = directory;
  }

  async current(): Promise<string | undefined> {
    return await readlink(this.#path(linkName)).catch(() => undefined);
  }

  async pointTo(name: string): Promise<void> {
    await this.#guard(linkName, async () => {
      const beside = this.#path(`.${linkName}-${randomBytes(6).toString('hex')}`);
      try {
        await symlink(name, beside);
        await rename(beside, this.#path(linkName));
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
      await syncDirectory(this.directory);
    });
  }

  async read(path: string): Promise<string | undefined> {
    return await this.#guard(path, async () => {
      const content = await optional(readFile(this.#path(path)));
      return content?.subarray(0, readLimit).toString('utf8');
    });
  }

  async write(path: string, content: string, mode: number): Promise<void> {
    await this.#guard(path, async () => {
      const final = this.#path(path);
      await mkdir(dirname(final), { recursive: true, mode: directoryMode });
      const file = await open(`${final}.new`, 'w', mode);
      try {
        await file.writeFile(content);
        // The umask may have taken bits from the mode at creation.
        await file.chmod(mode);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${final}.new`, final);
      await syncDirectory(dirname(final));
    });
  }

  async size(path: string): Promise<number> {
    return await this.#guard(path, async () => {
      return (await optional(stat(this.#path(path))))?.size ?? 0;
    });
  }

  async append(path: string, offset: number, data: Uint8Array): Promise<void> {
    await this.#guard(path, async () => {
      const file = await open(this.#path(path), offset === 0 ? 'w' : 'r+', 0o600);
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
    });
  }

  async hash(path: string): Promise<Uint8Array> {
    return await this.#guard(path, async () => {
      const hash = createHash('sha256');
      await pipeline(createReadStream(this.#path(path)), hash);
      return new Uint8Array(hash.digest());
    });
  }

  async unpack(from: string, to: string, limit: number, mode: number): Promise<void> {
    await this.#guard(to, async () => {
      const final = this.#path(to);
      await mkdir(dirname(final), { recursive: true, mode: directoryMode });
      const source = createReadStream(this.#path(from));
      const target = createWriteStream(final, { mode });
      await pipeline(source, createGunzip(), bounded(limit), target);
      const file = await open(final, 'r+');
      try {
        await file.chmod(mode);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncDirectory(dirname(final));
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#guard(to, async () => {
      await rename(this.#path(from), this.#path(to));
      await syncDirectory(this.directory);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#guard(path, () => rm(this.#path(path), { recursive: true, force: true }));
  }

  async list(): Promise<readonly string[]> {
    return await this.#guard('.', () => readdir(this.directory));
  }

  async run(path: string, argv: readonly string[], timeoutMs: number): Promise<ProgramEnd> {
    try {
      const program = this.#path(path);
      const { exitCode, stdout, stderr } = await this.#processes.run({
        argv: [program, ...argv],
        timeoutMs,
      });
      return { exitCode, output: exitCode === 0 ? stdout : `${stdout}${stderr}` };
    } catch (error) {
      return { exitCode: -1, output: error instanceof Error ? error.message : String(error) };
    }
  }

  #path(path: string): string {
    return join(this.directory, path);
  }

  async #guard<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof AgentError) throw cause;
      const name = codeOf(cause);
      const where = `${this.#path(path)}: ${name}`;
      // zlib's own codes: what was fetched is no gzip.
      const code = name.startsWith('Z_') ? 'AGENT_UPDATE_HASH' : 'AGENT_UPDATE_DISK';
      throw new AgentError(code, where, { cause });
    }
  }
}

function bounded(limit: number): Transform {
  let left = limit;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(new AgentError('AGENT_UPDATE_HASH', `more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function optional<T>(attempt: Promise<T>): Promise<T | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
