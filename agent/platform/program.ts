import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { AgentError } from '../errors.ts';

/** Under this name the program carries the licences of its parts (test/tools/agent-artefact.ts). */
export const licensesAsset = 'licenses.txt';

/** What a command-line program has to do with the outside. */
export interface ProgramIo {
  readonly argv: readonly string[];
  /** The file of this program, links resolved, when it is one that runs by itself. */
  readonly program?: string;
  /** The licences of all its parts, when it is one that runs by itself. */
  readonly licenses?: () => string;
  /** Standard output is a terminal. */
  readonly terminal: boolean;
  /** Width of the terminal, when it tells. */
  readonly columns?: number;
  /** A terminal that shows colours, and a user who wants them (NO_COLOR). */
  readonly colour?: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Resolves a path against the working directory. */
  readonly absolute: (path: string) => string;
  /** A text file named on the command line. Throws AGENT_USAGE. */
  readonly readText: (path: string) => string;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * V8 lets a heap grow far beyond what lives in it before it collects. Here a pass leaves garbage four
 * times a minute for months, so it collects early: half the memory for the same CPU (perf/memory.ts).
 */
const smallHeap = '--optimize-for-size';

const singleFile = {
  program: process.execPath,
  licenses: () => getAsset(licensesAsset, 'utf8'),
};

/** Runs a program in this process and ends with its exit code, once its output is written. */
export async function runProgram(main: (io: ProgramIo) => Promise<number>): Promise<void> {
  setFlagsFromString(smallHeap);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      // The second one means: now.
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  ignoreClosedPipe(process.stdout);
  ignoreClosedPipe(process.stderr);
  process.exitCode = await main({
    argv: process.argv.slice(2),
    ...(isSea() ? singleFile : {}),
    terminal: process.stdout.isTTY === true,
    ...(process.stdout.columns > 0 ? { columns: process.stdout.columns } : {}),
    colour: process.stdout.hasColors?.() === true,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    absolute: (path) => resolve(path),
    readText: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch (cause) {
        throw new AgentError('AGENT_USAGE', `${path} cannot be read`, { cause });
      }
    },
    signal: stop.signal,
  });
}

/** `vigo traits | head -1` is no error. */
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}
