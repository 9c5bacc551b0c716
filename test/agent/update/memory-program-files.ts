import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { AgentError } from '../../../agent/errors.ts';
import type { ProgramEnd, ProgramFiles } from '../../../agent/update/program-files.ts';

/** The machine loses its power: nothing catches this. */
export class PowerLoss extends Error {}

/** Counts the steps of one machine and takes its power away at a chosen one, before or after it. */
export class Power {
  steps = 0;
  /** Loses power at this step; an odd number's half: the step is done first. */
  lostAt = Number.POSITIVE_INFINITY;

  /** Runs one step of a disk; `torn` is what a half-done one leaves. */
  step<T>(act: () => T, torn?: () => void): T {
    this.steps += 1;
    const at = this.steps * 2;
    if (at === this.lostAt) {
      torn?.();
      throw new PowerLoss('before');
    }
    const result = act();
    if (at + 1 === this.lostAt) throw new PowerLoss('after');
    return result;
  }
}

/** A program directory in memory. */
export class MemoryProgramFiles implements ProgramFiles {
  readonly directory = '/usr/local/lib/vigo';
  readonly content = new Map<string, Uint8Array>();
  readonly power: Power;
  link: string | undefined;
  full = false;
  runs: (path: string, argv: readonly string[]) => ProgramEnd = () => ({
    exitCode: -1,
    output: '',
  });

  constructor(power: Power) {
    this.power = power;
  }

  async current(): Promise<string | undefined> {
    return this.link;
  }

  async pointTo(name: string): Promise<void> {
    this.#change(() => {
      this.link = name;
    });
  }

  async read(path: string): Promise<string | undefined> {
    const content = this.content.get(path);
    return content && new TextDecoder().decode(content);
  }

  async write(path: string, content: string): Promise<void> {
    this.#change(() => this.content.set(path, new TextEncoder().encode(content)));
  }

  async size(path: string): Promise<number> {
    return this.content.get(path)?.length ?? 0;
  }

  async append(path: string, offset: number, data: Uint8Array): Promise<void> {
    const before = (this.content.get(path) ?? new Uint8Array(0)).subarray(0, offset);
    const put = (added: Uint8Array) =>
      this.content.set(path, new Uint8Array(Buffer.concat([before, added])));
    this.#change(
      () => put(data),
      () => put(data.subarray(0, data.length >> 1)),
    );
  }

  async hash(path: string): Promise<Uint8Array> {
    const content = this.content.get(path);
    if (content === undefined) throw new AgentError('AGENT_UPDATE_DISK', `${path}: ENOENT`);
    return createHash('sha256').update(content).digest();
  }

  async unpack(from: string, to: string, limit: number): Promise<void> {
    let data: Uint8Array;
    try {
      data = new Uint8Array(gunzipSync(this.content.get(from) ?? '', { maxOutputLength: limit }));
    } catch {
      throw new AgentError('AGENT_UPDATE_HASH', from);
    }
    this.#change(
      () => this.content.set(to, data),
      () => this.content.set(to, data.subarray(0, data.length >> 1)),
    );
  }

  async rename(from: string, to: string): Promise<void> {
    this.#change(() => {
      for (const [path, content] of [...this.content]) {
        if (!path.startsWith(`${from}/`)) continue;
        this.content.delete(path);
        this.content.set(`${to}${path.slice(from.length)}`, content);
      }
    });
  }

  async remove(path: string): Promise<void> {
    const below = [...this.content.keys()].filter(
      (name) => name === path || name.startsWith(`${path}/`),
    );
    const drop = (names: readonly string[]) => {
      for (const name of names) this.content.delete(name);
    };
    this.#change(
      () => drop(below),
      () => drop(below.slice(0, below.length >> 1)),
      true,
    );
  }

  async list(): Promise<readonly string[]> {
    return [...new Set([...this.content.keys()].map((path) => path.split('/')[0]!))];
  }

  async run(path: string, argv: readonly string[]): Promise<ProgramEnd> {
    return this.content.has(path) ? this.runs(path, argv) : { exitCode: 127, output: 'ENOENT' };
  }

  #change(act: () => void, torn?: () => void, frees = false): void {
    if (this.full && !frees) throw new AgentError('AGENT_UPDATE_DISK', 'ENOSPC');
    this.power.step(act, torn);
  }
}
