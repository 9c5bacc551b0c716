import type { Files, Platform } from '../../agent/platform/platform.ts';
import { PlatformError } from '../../agent/platform/platform-error.ts';

/** The same machine with every file system mounted read-only. */
export function readOnlyPlatform(platform: Platform): Platform {
  const refuse = async (...words: readonly unknown[]): Promise<never> => {
    throw new PlatformError('EROFS', 'write', String(words[0]));
  };
  const { files } = platform;
  const readable: Pick<Files, 'status' | 'read' | 'readLink' | 'list'> = {
    status: (path) => files.status(path),
    read: (path, limit) => files.read(path, limit),
    readLink: (path) => files.readLink(path),
    list: (path) => files.list(path),
  };
  return {
    ...platform,
    files: {
      ...readable,
      writeAtomic: refuse,
      writeKernel: refuse,
      makeDirectory: refuse,
      removeFile: refuse,
      removeEmptyDirectory: refuse,
      removeTree: refuse,
      setMode: refuse,
      setOwner: refuse,
      symbolicLink: refuse,
      hardLink: refuse,
      rename: refuse,
      copyFile: refuse,
      removeTemporaries: refuse,
    },
  };
}
