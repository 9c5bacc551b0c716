import type { Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';

/** One process by /proc. */
export interface ProcessEntry {
  readonly pid: number;
  /** Clock ticks after boot; with the pid it names one process for good. */
  readonly startedAt: string;
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string;
  /** Words joined by spaces; "" for a kernel thread. */
  readonly commandLine: string;
  /** Base name of the program's first word. */
  readonly program: string;
}

/** The kernel's limit of a process name. */
const nameLimit = 15;
const processLimit = 100_000;

/** Every living process but zombies and the agent's own. Those that end meanwhile are left out. */
export async function listProcesses(platform: Platform): Promise<ProcessEntry[]> {
  const { files, paths } = platform;
  const root = await paths.resolve('/proc');
  const self = await paths.resolve('/proc/self');
  const own = (await files.status(self))?.kind === 'symlink' ? await files.readLink(self) : '';
  const found: ProcessEntry[] = [];
  for (const name of (await files.list(root)).slice(0, processLimit)) {
    if (!/^\d+$/.test(name) || name === own) continue;
    const entry = await readProcess(platform, `${root}/${name}`, Number(name));
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

export async function readProcess(
  { files }: Platform,
  directory: string,
  pid: number,
): Promise<ProcessEntry | undefined> {
  try {
    const decoder = new TextDecoder();
    const stat = decoder.decode(await files.read(`${directory}/stat`));
    // The name is in parentheses and may hold anything, parentheses too.
    const open = stat.indexOf('(');
    const close = stat.lastIndexOf(')');
    const rest = stat.slice(close + 2).split(' ');
    if (open === -1 || close === -1 || rest[0] === 'Z' || rest[0] === 'X') return undefined;
    const words = decoder.decode(await files.read(`${directory}/cmdline`)).split('\0');
    if (words.at(-1) === '') words.pop();
    const program = words[0] ?? '';
    return {
      pid,
      startedAt: rest[19] ?? '',
      name: stat.slice(open + 1, close),
      commandLine: words.join(' '),
      program: program.slice(program.lastIndexOf('/') + 1),
    };
  } catch (thrown) {
    const gone = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES'];
    if (thrown instanceof PlatformError && gone.includes(thrown.code)) return undefined;
    throw thrown;
  }
}

/** As pgrep -x (the name, or of a long name the program), or as pgrep -f. */
export function matchesProcess(entry: ProcessEntry, wanted: string | RegExp): boolean {
  if (typeof wanted !== 'string') return wanted.test(entry.commandLine);
  if (entry.name === wanted) return true;
  return wanted.length > nameLimit && entry.program === wanted;
}
