import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';
import { type BackupView, backupNamePattern } from '../../backup/messages.ts';
import { ServerError } from '../../errors.ts';
import type { HomeLayout } from '../home/layout.ts';
import { hashFile, type Packed } from './pack.ts';

/** Backups that are listed; with more in the directory, the newest ones. */
const listMax = 1_000;

/**
 * The finished backups of a home, in `backups/`: `<name>` and, so that an encrypted one need not be opened for
 * a list, `<name>.json` beside it. The archive is renamed last: what has its name is whole.
 */
export class BackupShelf {
  readonly directory: string;

  constructor(layout: Pick<HomeLayout, 'backupsDirectory'>) {
    this.directory = layout.backupsDirectory;
  }

  async add(draft: string, id: string, packed: Packed, encrypted: boolean): Promise<BackupView> {
    const { bytes, sha256, summary } = packed;
    const stamp = new Date(summary.createdAtMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const name = `vigo-${stamp}-${id}.tar.gz${encrypted ? '.age' : ''}`;
    const view: BackupView = { name, bytes, sha256, encrypted, ...summary };
    const disk = nodeDisk();
    const text = `${JSON.stringify(view, null, 2)}\n`;
    await disk.writeDurable(join(this.directory, `${name}.json`), Buffer.from(text));
    await disk.rename(draft, join(this.directory, name));
    return view;
  }

  /** Newest first. */
  async list(): Promise<BackupView[]> {
    const names = await readdir(this.directory).catch((): string[] => []);
    const found = names.filter((name) => backupNamePattern.test(name)).sort();
    const views: BackupView[] = [];
    for (const name of found.slice(-listMax).reverse()) {
      const view = await this.#view(name);
      if (view !== undefined) views.push(view);
    }
    return views.sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  /** The path of a finished backup. Rejects with BACKUP_UNKNOWN. */
  async find(name: string): Promise<{ path: string; bytes: number; view: BackupView }> {
    const view = backupNamePattern.test(name) ? await this.#view(name) : undefined;
    if (view === undefined) throw new ServerError('BACKUP_UNKNOWN', { name });
    const path = join(this.directory, name);
    return { path, bytes: (await stat(path)).size, view };
  }

  /** Whether the file still has the hash that it was made with. */
  async check(name: string): Promise<{ name: string; sha256: string; same: boolean }> {
    const { path, view } = await this.find(name);
    const sha256 = await hashFile(path);
    return { name, sha256, same: sha256 === view.sha256 };
  }

  async keepOnly(count: number): Promise<void> {
    const outdated = (await this.list()).slice(count);
    for (const { name } of outdated) {
      await rm(join(this.directory, name), { force: true });
      await rm(join(this.directory, `${name}.json`), { force: true });
    }
  }

  async #view(name: string): Promise<BackupView | undefined> {
    try {
      const text = await readFile(join(this.directory, `${name}.json`), 'utf8');
      const view = JSON.parse(text) as BackupView;
      return view.name === name ? view : undefined;
    } catch {
      return undefined;
    }
  }
}
