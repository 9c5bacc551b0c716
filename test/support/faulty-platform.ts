import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Files, type Platform, temporaryName } from '../../agent/platform/platform.ts';
import { PlatformError } from '../../agent/platform/platform-error.ts';

/**
 * How the interruption shows: before the call did anything, after it did all, or (of an atomic write)
 * with a half-written temporary file left behind, as a killed process leaves it.
 */
export type FaultMode = 'before' | 'after' | 'leftover';

export interface FaultyPlatform {
  readonly platform: Platform;
  reached(): boolean;
  reachedCall(): string;
}

/** A platform whose nth call to the file system or a process fails, as do all calls after it. */
export function faultyPlatform(
  platform: Platform,
  nth: number,
  mode: FaultMode,
  code = 'EIO',
): FaultyPlatform {
  let calls = 0;
  let reachedCall = '';
  const guard = async <T>(name: string, path: string, call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls < nth) return call();
    if (calls === nth) {
      reachedCall = name;
      if (mode === 'after') await call();
      if (mode === 'leftover' && name === 'writeAtomic') leaveHalf(path);
    }
    throw new PlatformError(code, name, path);
  };
  return {
    platform: {
      ...platform,
      files: guardedFiles(platform.files, guard),
      processes: {
        run: (request) => guard('run', request.argv[0], () => platform.processes.run(request)),
        signal: (pid, name) =>
          guard('signal', String(pid), () => platform.processes.signal(pid, name)),
      },
    },
    reached: () => calls >= nth,
    reachedCall: () => reachedCall,
  };
}

function leaveHalf(path: string): void {
  writeFileSync(join(dirname(path), temporaryName('0123456789abcdef')), 'half');
}

type Guard = <T>(name: string, path: string, call: () => Promise<T>) => Promise<T>;

function guardedFiles(files: Files, guard: Guard): Files {
  return {
    status: (path) => guard('status', path, () => files.status(path)),
    read: (path, limit) => guard('read', path, () => files.read(path, limit)),
    readLink: (path) => guard('readLink', path, () => files.readLink(path)),
    list: (path) => guard('list', path, () => files.list(path)),
    writeAtomic: (path, content, attributes) =>
      guard('writeAtomic', path, () => files.writeAtomic(path, content, attributes)),
    writeKernel: (path, text) => guard('writeKernel', path, () => files.writeKernel(path, text)),
    makeDirectory: (path, mode) =>
      guard('makeDirectory', path, () => files.makeDirectory(path, mode)),
    removeFile: (path) => guard('removeFile', path, () => files.removeFile(path)),
    removeEmptyDirectory: (path) =>
      guard('removeEmptyDirectory', path, () => files.removeEmptyDirectory(path)),
    removeTree: (path) => guard('removeTree', path, () => files.removeTree(path)),
    setMode: (path, mode) => guard('setMode', path, () => files.setMode(path, mode)),
    setOwner: (path, uid, gid) => guard('setOwner', path, () => files.setOwner(path, uid, gid)),
    symbolicLink: (target, path) =>
      guard('symbolicLink', path, () => files.symbolicLink(target, path)),
    hardLink: (target, path) => guard('hardLink', path, () => files.hardLink(target, path)),
    rename: (from, to) => guard('rename', to, () => files.rename(from, to)),
    copyFile: (from, to, mode) => guard('copyFile', to, () => files.copyFile(from, to, mode)),
    removeTemporaries: (directory) =>
      guard('removeTemporaries', directory, () => files.removeTemporaries(directory)),
  };
}
