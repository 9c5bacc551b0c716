import type { Disk } from '../../../runtime/ports/disk.ts';
import { Diagnostics } from './diagnostics.ts';
import { type ScannedFile, type StackScan, scanStack } from './stack-scan.ts';
import { decodeText } from './stack-text.ts';

/** Bytes of one file. */
export const fileSizeLimit = 1_048_576;
/** Bytes of all files. */
export const stackSizeLimit = 67_108_864;
/** Readings of a stack that is edited meanwhile. */
export const readingLimit = 5;
/** Files read at the same time. */
const parallelReads = 16;

/** Stack path ("modules/nginx.vgo") -> content, in the order of the paths. */
export type StackFiles = ReadonlyMap<string, string>;

/**
 * Reads policy and template files of a stack as they were at one moment: what was edited meanwhile is
 * read again. What cannot be read is reported.
 */
export async function readStackFiles(
  disk: Disk,
  directory: string,
  diagnostics: Diagnostics,
): Promise<StackFiles> {
  let moved: string | undefined;
  for (let reading = 0; reading < readingLimit; reading += 1) {
    const own = new Diagnostics();
    const scan = await scanStack(disk, directory, own);
    if (!scan.complete) {
      diagnostics.include(own.take());
      return new Map();
    }
    const files = await readAll(disk, scan, own);
    moved = firstDifference(scan, await scanStack(disk, directory, new Diagnostics()));
    if (moved !== undefined && reading < readingLimit - 1) continue;
    for (const [path, text] of files.texts) diagnostics.addFile(path, text);
    diagnostics.include(own.take());
    if (moved !== undefined) {
      const message = `the stack was changed ${readingLimit} times while it was read`;
      diagnostics.report({ file: moved, line: 1 }, { code: 'PUBLISH_CHANGING', message });
    }
    return sorted(files.valid, diagnostics);
  }
  return new Map();
}

function sorted(files: ReadonlyMap<string, string>, diagnostics: Diagnostics): StackFiles {
  // An empty directory is more likely a wrong one than a wish to manage nothing.
  if (![...files.keys()].some((path) => path.endsWith('.vgo'))) {
    const message = 'the stack has no .vgo file';
    diagnostics.report({ file: '.', line: 1 }, { code: 'PUBLISH_UNREADABLE', message });
  }
  return new Map([...files].sort(([a], [b]) => comparePaths(a, b)));
}

/** Files of a directory before its subdirectories would break "by path"; plain order it is. */
function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A path that is new, gone, or another file than it was. */
function firstDifference(before: StackScan, after: StackScan): string | undefined {
  for (const [path, { version }] of after.files) {
    if (before.files.get(path)?.version !== version) return path;
  }
  return [...before.files.keys()].find((path) => !after.files.has(path));
}

interface ReadTexts {
  /** For excerpts: also of files with something wrong. */
  readonly texts: Map<string, string>;
  readonly valid: Map<string, string>;
}

async function readAll(disk: Disk, scan: StackScan, diagnostics: Diagnostics): Promise<ReadTexts> {
  const found: ReadTexts = { texts: new Map(), valid: new Map() };
  const waiting: [string, ScannedFile][] = [];
  let bytes = 0;
  const refuse = (file: string, message: string) =>
    diagnostics.report({ file, line: 1 }, { code: 'PUBLISH_LIMIT', message });
  for (const [path, file] of scan.files) {
    if (file.bytes > fileSizeLimit) {
      refuse(path, `the file is larger than ${fileSizeLimit} bytes`);
      continue;
    }
    bytes += file.bytes;
    if (bytes > stackSizeLimit) {
      refuse(path, `the stack is larger than ${stackSizeLimit} bytes`);
      break;
    }
    waiting.push([path, file]);
  }
  waiting.reverse();
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await readOne(disk, ...next, found, diagnostics);
    }
  };
  await Promise.all(Array.from({ length: parallelReads }, work));
  return found;
}

async function readOne(
  disk: Disk,
  path: string,
  file: ScannedFile,
  found: ReadTexts,
  diagnostics: Diagnostics,
): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.read(file.target);
  } catch (error) {
    const message = `cannot read the file: ${error instanceof Error ? error.message : error}`;
    diagnostics.report({ file: path, line: 1 }, { code: 'PUBLISH_UNREADABLE', message });
    return;
  }
  const { text, fault } = decodeText(bytes, path.endsWith('.vgo'));
  found.texts.set(path, text);
  if (fault === undefined) found.valid.set(path, text);
  else {
    const { offset, message } = fault;
    diagnostics.report({ file: path, offset }, { code: 'PUBLISH_ENCODING', message });
  }
}
