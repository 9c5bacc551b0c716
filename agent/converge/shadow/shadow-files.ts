import type { FileStatus, Files, Host, WriteAttributes } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { dirname } from '../path-text.ts';
import type { ShadowTree } from './shadow-tree.ts';

const newFileMode = 0o644;
const linkMode = 0o777;
const defaultReadLimit = 64 * 1024 * 1024;

interface ShadowParts {
  readonly base: Files;
  readonly tree: ShadowTree;
  readonly host: Pick<Host, 'effectiveUid'>;
  readonly nowMs: () => number;
}

/** The files of a dry run: reads see what was written before, writes stay in memory. */
export class ShadowFiles implements Files {
  readonly #base: Files;
  readonly #tree: ShadowTree;
  readonly #uid: number;
  readonly #nowMs: () => number;

  constructor({ base, tree, host, nowMs }: ShadowParts) {
    this.#base = base;
    this.#tree = tree;
    this.#uid = host.effectiveUid;
    this.#nowMs = nowMs;
  }

  status(path: string): Promise<FileStatus | undefined> {
    return this.#tree.status(path);
  }

  async read(path: string, limit = defaultReadLimit): Promise<Uint8Array> {
    const own = this.#tree.own(path);
    if (own === undefined) {
      if (this.#tree.covered(path)) throw new PlatformError('ENOENT', 'read', path);
      return this.#base.read(path, limit);
    }
    if (own.kind === 'absent') throw new PlatformError('ENOENT', 'read', path);
    if (own.kind === 'symlink') throw new PlatformError('ELOOP', 'read', path);
    if (own.kind === 'directory') throw new PlatformError('EISDIR', 'read', path);
    const content = own.content ?? (await this.#base.read(own.contentOf ?? path, limit));
    if (content.length > limit) throw new PlatformError('EFBIG', 'read', path);
    return content;
  }

  async readLink(path: string): Promise<string> {
    const own = this.#tree.own(path);
    if (own?.kind === 'symlink') return own.target;
    if (own === undefined && !this.#tree.covered(path)) return this.#base.readLink(path);
    throw new PlatformError('readlink', own?.kind === 'file' ? 'EINVAL' : 'ENOENT', path);
  }

  async list(path: string): Promise<string[]> {
    const status = await this.status(path);
    if (status === undefined) throw new PlatformError('ENOENT', 'list', path);
    if (status.kind !== 'directory') throw new PlatformError('ENOTDIR', 'list', path);
    return this.#tree.list(path);
  }

  async writeAtomic(path: string, content: Uint8Array, wanted: WriteAttributes): Promise<void> {
    const old = await this.status(path);
    if (old?.kind === 'directory') throw new PlatformError('EISDIR', 'write', path);
    await this.#requireParent(path);
    const kept = old?.kind === 'file' ? old : undefined;
    const status = this.#status('file', {
      mode: wanted.mode ?? kept?.mode ?? newFileMode,
      uid: wanted.uid ?? kept?.uid ?? this.#uid,
      gid: wanted.gid ?? kept?.gid ?? 0,
      size: content.length,
    });
    this.#tree.put(path, { kind: 'file', status, content, contentOf: undefined });
  }

  /** The kernel's files keep their place and their attributes. */
  async writeKernel(path: string, text: string): Promise<void> {
    const old = await this.status(path);
    if (old?.kind !== 'file') throw new PlatformError('ENOENT', 'write', path);
    const content = new TextEncoder().encode(text);
    const status = { ...old, size: content.length, modifiedMs: this.#nowMs() };
    this.#tree.put(path, { kind: 'file', status, content, contentOf: undefined });
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    if ((await this.status(path)) !== undefined) throw new PlatformError('EEXIST', 'mkdir', path);
    await this.#requireParent(path);
    const status = this.#status('directory', { mode });
    this.#tree.put(path, { kind: 'directory', status, fresh: true });
  }

  async removeFile(path: string): Promise<void> {
    const status = await this.status(path);
    if (status === undefined) return;
    if (status.kind === 'directory') throw new PlatformError('EISDIR', 'unlink', path);
    await this.#requireParent(path);
    this.#tree.remove(path);
  }

  async removeEmptyDirectory(path: string): Promise<void> {
    if ((await this.list(path)).length > 0) throw new PlatformError('ENOTEMPTY', 'rmdir', path);
    this.#tree.remove(path);
  }

  async removeTree(path: string): Promise<void> {
    if ((await this.status(path)) !== undefined) this.#tree.remove(path);
  }

  async setMode(path: string, mode: number): Promise<void> {
    await this.#change(path, (status) => ({ ...status, mode }));
  }

  async setOwner(path: string, uid: number, gid: number): Promise<void> {
    // As the kernel does for a file: a change of owner clears setuid and setgid.
    await this.#change(path, (status) => ({
      ...status,
      uid,
      gid,
      mode: status.kind === 'file' ? status.mode & 0o1777 : status.mode,
    }));
  }

  async symbolicLink(target: string, path: string): Promise<void> {
    if ((await this.status(path)) !== undefined) throw new PlatformError('EEXIST', 'symlink', path);
    await this.#requireParent(path);
    const status = this.#status('symlink', { mode: linkMode, size: target.length });
    this.#tree.put(path, { kind: 'symlink', status, target });
  }

  async hardLink(target: string, path: string): Promise<void> {
    const status = await this.status(target);
    if (status === undefined) throw new PlatformError('ENOENT', 'link', target);
    if (status.kind === 'directory') throw new PlatformError('EPERM', 'link', target);
    if ((await this.status(path)) !== undefined) throw new PlatformError('EEXIST', 'link', path);
    await this.#copy(target, path, status);
  }

  async rename(from: string, to: string): Promise<void> {
    const status = await this.status(from);
    if (status === undefined) throw new PlatformError('ENOENT', 'rename', from);
    await this.#requireParent(to);
    await this.#copy(from, to, status);
    this.#tree.remove(from);
  }

  async copyFile(from: string, to: string, mode: number): Promise<void> {
    if ((await this.status(to)) !== undefined) throw new PlatformError('EEXIST', 'copy', to);
    await this.#requireParent(to);
    const status = await this.status(from);
    if (status?.kind !== 'file') throw new PlatformError('ENOENT', 'copy', from);
    await this.#copy(from, to, this.#status('file', { mode, size: status.size }));
  }

  async removeTemporaries(): Promise<number> {
    return 0;
  }

  /** Puts at `to` what is at `from`, with this status. */
  async #copy(from: string, to: string, status: FileStatus): Promise<void> {
    const own = this.#tree.own(from);
    if (status.kind === 'symlink')
      this.#tree.put(to, { kind: 'symlink', status, target: await this.readLink(from) });
    else if (status.kind === 'directory') throw new PlatformError('EXDEV', 'rename', from);
    else {
      const content = own?.kind === 'file' ? own.content : undefined;
      const contentOf = own?.kind === 'file' ? own.contentOf : from;
      this.#tree.put(to, { kind: 'file', status, content, contentOf });
    }
  }

  async #change(path: string, edit: (status: FileStatus) => FileStatus): Promise<void> {
    const now = await this.status(path);
    if (now === undefined) throw new PlatformError('ENOENT', 'change', path);
    const status = { ...edit(now), modifiedMs: this.#nowMs() };
    const own = this.#tree.own(path);
    if (own !== undefined && own.kind !== 'absent') this.#tree.put(path, { ...own, status });
    else if (now.kind === 'directory')
      this.#tree.put(path, { kind: 'directory', status, fresh: false });
    else await this.#copy(path, path, status);
  }

  /** As far as the permission bits tell; a read-only or full file system shows only when written. */
  async #requireParent(path: string): Promise<void> {
    const parent = dirname(path);
    const status = await this.status(parent);
    if (status === undefined) throw new PlatformError('ENOENT', 'write', path);
    if (status.kind !== 'directory') throw new PlatformError('ENOTDIR', 'write', path);
    if (this.#uid === 0) return;
    const bits = status.uid === this.#uid ? 0o200 : 0o022;
    if ((status.mode & bits) === 0) throw new PlatformError('EACCES', 'write', path);
  }

  #status(
    kind: 'file' | 'directory' | 'symlink',
    given: Partial<FileStatus> & { mode: number },
  ): FileStatus {
    const inode = this.#tree.newInode();
    const modifiedMs = this.#nowMs();
    return { kind, uid: this.#uid, gid: 0, size: 0, inode, device: 0, modifiedMs, ...given };
  }
}
