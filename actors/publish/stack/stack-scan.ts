import type { Disk, DiskEntry } from '../../../runtime/ports/disk.ts';
import type { DiagnosticCode, Diagnostics } from './diagnostics.ts';
import { nameFault } from './names.ts';

/** Files of one stack. */
export const fileCountLimit = 10_000;
/** Names that are looked at, whatever stands there. */
export const nameCountLimit = 100_000;
/** Directories that may nest. */
export const directoryDepthLimit = 12;
/** Names looked at at the same time. */
const parallelLooks = 16;

/** The policy and template files of a stack as they stand there, unread. */
export interface StackScan {
  readonly files: ReadonlyMap<string, ScannedFile>;
  /** False when there are too many, so that some are missing. */
  readonly complete: boolean;
}

export interface ScannedFile {
  /** Absolute, links followed. */
  readonly target: string;
  readonly bytes: number;
  readonly version: string;
}

/** Finds the files of a stack. Links may lead to other files of the stack, and nowhere else. */
export async function scanStack(
  disk: Disk,
  directory: string,
  diagnostics: Diagnostics,
): Promise<StackScan> {
  const scanner = new Scanner(disk, diagnostics);
  await scanner.start(directory);
  const files = [...scanner.files].sort(([a], [b]) => (a < b ? -1 : 1));
  return { files: new Map(files), complete: !scanner.full };
}

/** A directory that is being looked through. */
interface Level {
  /** In the stack; "" is the stack itself. */
  readonly path: string;
  /** Absolute, links followed. */
  readonly target: string;
  readonly depth: number;
  /** Targets of the directories above and of this one. */
  readonly above: readonly string[];
}

class Scanner {
  readonly files = new Map<string, ScannedFile>();
  full = false;
  readonly #disk: Disk;
  readonly #diagnostics: Diagnostics;
  #root = '';
  #names = 0;

  constructor(disk: Disk, diagnostics: Diagnostics) {
    this.#disk = disk;
    this.#diagnostics = diagnostics;
  }

  async start(directory: string): Promise<void> {
    try {
      this.#root = await this.#disk.resolve(directory);
    } catch (error) {
      this.#report('', 'PUBLISH_UNREADABLE', `cannot read the directory: ${reason(error)}`);
      return;
    }
    await this.#walk({ path: '', target: this.#root, depth: 0, above: [this.#root] });
  }

  async #walk(level: Level): Promise<void> {
    const { path, depth } = level;
    if (depth > directoryDepthLimit) {
      this.#report(path, 'PUBLISH_LIMIT', `more than ${directoryDepthLimit} directories deep`);
      return;
    }
    let names: string[];
    try {
      names = await this.#disk.list(level.target);
    } catch (error) {
      this.#report(path, 'PUBLISH_UNREADABLE', `cannot read the directory: ${reason(error)}`);
      return;
    }
    const waiting = names.filter((name) => !name.startsWith('.') && !name.endsWith('~')).reverse();
    const below: Level[] = [];
    const work = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        if (this.full) return;
        const found = await this.#visit(level, name);
        if (found !== undefined) below.push(found);
      }
    };
    await Promise.all(Array.from({ length: parallelLooks }, work));
    below.sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const next of below) await this.#walk(next);
  }

  /** The level below, when the name is that of a directory. */
  async #visit(level: Level, name: string): Promise<Level | undefined> {
    const path = level.path === '' ? name : `${level.path}/${name}`;
    this.#names += 1;
    if (this.#names > nameCountLimit) {
      this.#stop(path, `more than ${nameCountLimit} names`);
      return undefined;
    }
    let target = `${level.target}/${name}`;
    let entry: DiskEntry | undefined;
    try {
      entry = await this.#disk.inspect(target);
      if (entry?.kind === 'link') {
        const followed = await this.#follow(path, target);
        if (followed === undefined) return undefined;
        target = followed;
        entry = await this.#disk.inspect(target);
      }
    } catch (error) {
      this.#report(path, 'PUBLISH_UNREADABLE', `cannot be looked at: ${reason(error)}`);
      return undefined;
    }
    // Gone since it was listed.
    if (entry === undefined) return undefined;
    if (entry.kind === 'directory') return this.#below(level, path, target);
    if (path.endsWith('.vgo') || path.startsWith('templates/')) this.#file(path, target, entry);
    return undefined;
  }

  #below(level: Level, path: string, target: string): Level | undefined {
    if (level.above.includes(target)) {
      this.#report(path, 'PUBLISH_LINK', 'the link leads to a directory that it stands in');
      return undefined;
    }
    return { path, target, depth: level.depth + 1, above: [...level.above, target] };
  }

  #file(path: string, target: string, { kind, bytes, version }: DiskEntry): void {
    const fault = nameFault(path.slice(path.lastIndexOf('/') + 1));
    if (fault !== undefined) {
      this.#report(path, 'PUBLISH_BAD_NAME', fault);
    } else if (kind !== 'file') {
      this.#report(path, 'PUBLISH_UNREADABLE', 'it is not a plain file');
    } else if (this.files.size >= fileCountLimit) {
      this.#stop(path, `more than ${fileCountLimit} files`);
    } else {
      this.files.set(path, { target, bytes, version });
    }
  }

  async #follow(path: string, link: string): Promise<string | undefined> {
    let target: string;
    try {
      target = await this.#disk.resolve(link);
    } catch (error) {
      this.#report(path, 'PUBLISH_LINK', `the link leads nowhere: ${reason(error)}`);
      return undefined;
    }
    if (target === this.#root || target.startsWith(`${this.#root}/`)) return target;
    this.#report(path, 'PUBLISH_LINK', 'the link leads out of the stack');
    return undefined;
  }

  #stop(path: string, message: string): void {
    if (this.full) return;
    this.full = true;
    this.#report(path, 'PUBLISH_LIMIT', message);
  }

  #report(file: string, code: DiagnosticCode, message: string): void {
    this.#diagnostics.report({ file, line: 1 }, { code, message });
  }
}

/** The system's word for it, without the absolute path. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/, \w+ '.*$/, '');
}
