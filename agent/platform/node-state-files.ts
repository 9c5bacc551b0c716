import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { temporaryName } from './platform.ts';

const directoryMode = 0o700;
const fileMode = 0o600;

/** State files by Node; makes its directory at the first write. */
export class NodeStateFiles implements StateFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#path(name));
    } catch (cause) {
      if (errno(cause) === 'ENOENT') return undefined;
      throw this.#failure('AGENT_STATE_READ', name, cause);
    }
  }

  async replace(name: string, content: Uint8Array, mode = fileMode): Promise<void> {
    const temporary = this.#path(temporaryName(randomBytes(8).toString('hex')));
    try {
      await mkdir(this.directory, { recursive: true, mode: directoryMode });
      const file = await open(temporary, 'wx', mode);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      // The umask may have taken bits from the mode at creation.
      await chmod(temporary, mode);
      await rename(temporary, this.#path(name));
      await this.#syncDirectory();
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw this.#failure('AGENT_STATE_WRITE', name, cause);
    }
  }

  async append(name: string, offset: number, content: Uint8Array): Promise<void> {
    try {
      await mkdir(this.directory, { recursive: true, mode: directoryMode });
      const created = (await this.mode(name)) === undefined;
      const file = await open(this.#path(name), created ? 'wx+' : 'r+', fileMode);
      try {
        await file.truncate(offset);
        await writeFully(file, content, offset);
        await file.datasync();
      } finally {
        await file.close();
      }
      if (created) await this.#syncDirectory();
    } catch (cause) {
      throw this.#failure('AGENT_STATE_WRITE', name, cause);
    }
  }

  async readAt(name: string, offset: number, length: number): Promise<Uint8Array> {
    try {
      const file = await open(this.#path(name), 'r');
      try {
        const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw this.#failure('AGENT_STATE_READ', name, cause);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await rm(this.#path(name), { force: true });
    } catch (cause) {
      throw this.#failure('AGENT_STATE_WRITE', name, cause);
    }
  }

  async mode(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(name))).mode & 0o7777;
    } catch (cause) {
      if (errno(cause) === 'ENOENT') return undefined;
      throw this.#failure('AGENT_STATE_READ', name, cause);
    }
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  #path(name: string): string {
    return join(this.directory, name);
  }

  #failure(
    code: 'AGENT_STATE_READ' | 'AGENT_STATE_WRITE',
    name: string,
    cause: unknown,
  ): AgentError {
    return new AgentError(code, `${this.#path(name)}: ${errno(cause)}`, { cause });
  }
}

async function writeFully(
  file: Awaited<ReturnType<typeof open>>,
  content: Uint8Array,
  offset: number,
): Promise<void> {
  for (let done = 0; done < content.length; ) {
    const { bytesWritten } = await file.write(content, done, content.length - done, offset + done);
    done += bytesWritten;
  }
}

function errno(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
}
