import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';

/** A living process by /proc: who started it, and what it was started as. */
export interface LiveProcess {
  readonly parent: number;
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string;
  readonly words: readonly string[];
}

const nameLimit = 15;
/** A program run by an interpreter stands behind it and perhaps one option: "python3 -u /usr/bin/x". */
const programWords = 3;
const processLimit = 100_000;
const textLimit = 64 * 1024;

/** Undefined for a process that is not there, is a zombie, or may not be looked at. */
export async function liveProcess(
  platform: Platform,
  pid: number,
): Promise<LiveProcess | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const directory = await platform.paths.resolve(`/proc/${pid}`);
  try {
    const decoder = new TextDecoder();
    const stat = decoder.decode(await platform.files.read(`${directory}/stat`, textLimit));
    // The name is in parentheses and may hold anything, parentheses too.
    const close = stat.lastIndexOf(')');
    const [state, parent] = stat.slice(close + 2).split(' ');
    if (close === -1 || state === 'Z' || state === 'X') return undefined;
    const line = await platform.files.read(`${directory}/cmdline`);
    const words = decoder.decode(line).split('\0').slice(0, programWords);
    return { parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, close), words };
  } catch (thrown) {
    const gone = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES'];
    if (thrown instanceof PlatformError && gone.includes(thrown.code)) return undefined;
    throw thrown;
  }
}

/** Whether the process is one of that program: a path or a base name. */
export function isProgram(live: LiveProcess, program: string): boolean {
  const wanted = baseName(program);
  if (live.name === wanted.slice(0, nameLimit)) return true;
  return live.words.some((word) => baseName(word) === wanted);
}

/**
 * Whether any process is of that program, and has that first argument if one is given. Reads all of
 * /proc: only for when nothing else tells.
 */
export async function programRuns(
  platform: Platform,
  program: string,
  argument?: string,
): Promise<boolean> {
  const root = await platform.paths.resolve('/proc');
  if ((await platform.files.status(root))?.kind !== 'directory') return false;
  for (const name of (await platform.files.list(root)).slice(0, processLimit)) {
    if (!/^\d+$/.test(name)) continue;
    const live = await liveProcess(platform, Number(name));
    if (live === undefined || !isProgram(live, program)) continue;
    if (argument === undefined || live.words[1] === argument) return true;
  }
  return false;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
