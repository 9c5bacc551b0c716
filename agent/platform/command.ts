import { AgentError } from '../errors.ts';
import type { Platform, RunResult } from './platform.ts';

/** Same messages and the same tools whatever the locale and environment of the agent. */
export const toolEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

const defaultTimeoutMs = 60_000;
const causeLimit = 400;

export interface CommandOptions {
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly outputLimit?: number;
}

/** Runs a tool to its end; only its time limit is an error, the exit code is the caller's. */
export async function runTool(
  platform: Platform,
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const result = await platform.processes.run({
    argv,
    timeoutMs,
    environment: { ...toolEnvironment, ...options.environment },
    ...(options.stdin === undefined ? {} : { stdin: new TextEncoder().encode(options.stdin) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.outputLimit === undefined ? {} : { outputLimit: options.outputLimit }),
  });
  if (result.timedOut)
    throw new AgentError('AGENT_COMMAND_TIMEOUT', `${argv[0]} after ${timeoutMs} ms`);
  return result;
}

/** Trouble of the machine that any tool may meet and none can help, by what it complains about. */
export function machineCode(
  result: RunResult,
): 'AGENT_DISK_FULL' | 'AGENT_READ_ONLY_FILE_SYSTEM' | undefined {
  if (/No space left on device|Disk quota exceeded/i.test(result.stderr)) return 'AGENT_DISK_FULL';
  return /Read-only file system/i.test(result.stderr) ? 'AGENT_READ_ONLY_FILE_SYSTEM' : undefined;
}

/** The end of what a tool complained about, on one line. */
export function causeOf(result: RunResult): string {
  const text = result.stderr.trim() === '' ? result.stdout : result.stderr;
  const line = text.trim().replace(/\s*\n\s*/g, '; ');
  return line.length > causeLimit ? `...${line.slice(-causeLimit)}` : line;
}
