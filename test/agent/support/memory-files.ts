import { AgentError } from '../../../agent/errors.ts';
import type { StateFiles } from '../../../agent/offline/state-files.ts';

/** State files in memory whose disk can be full, or break in the middle of a write. */
export class MemoryFiles implements StateFiles {
  readonly directory = '/memory';
  readonly content = new Map<string, Uint8Array>();
  full = false;
  writes = 0;

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.content.get(name)?.slice();
  }

  async replace(name: string, content: Uint8Array): Promise<void> {
    this.#write(name);
    this.content.set(name, content.slice());
  }

  async append(name: string, offset: number, content: Uint8Array): Promise<void> {
    const old = (this.content.get(name) ?? new Uint8Array(0)).subarray(0, offset);
    if (this.full) {
      // As a disk does: part of it is there.
      this.content.set(name, Buffer.concat([old, content.subarray(0, content.length >> 1)]));
    }
    this.#write(name);
    this.content.set(name, Buffer.concat([old, content]));
  }

  async readAt(name: string, offset: number, length: number): Promise<Uint8Array> {
    return (this.content.get(name) ?? new Uint8Array(0)).slice(offset, offset + length);
  }

  async remove(name: string): Promise<void> {
    this.content.delete(name);
  }

  async mode(name: string): Promise<number | undefined> {
    return this.content.has(name) ? 0o600 : undefined;
  }

  #write(name: string): void {
    this.writes += 1;
    if (this.full) throw new AgentError('AGENT_STATE_WRITE', `${name}: ENOSPC`);
  }
}
