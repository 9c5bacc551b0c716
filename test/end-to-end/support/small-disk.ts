import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

const chunk = 4096;
const commands = { mount: 'mount', unmount: 'umount' };

/**
 * A file system of `megabytes` at `directory`. Only for a process in a mount namespace of its own:
 * nobody else sees the mount.
 */
export class SmallDisk {
  readonly directory: string;
  readonly #ballast: string;

  constructor(t: Pick<Test, 'teardown'>, directory: string, megabytes: number) {
    this.directory = directory;
    this.#ballast = join(directory, 'ballast');
    mkdirSync(directory, { recursive: true });
    execFileSync(commands.mount, ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]);
    t.teardown(() => {
      execFileSync(commands.unmount, ['--lazy', directory]);
    });
  }

  /** Takes every block that is left. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(chunk));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }
}
