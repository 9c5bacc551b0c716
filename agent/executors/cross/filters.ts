import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import { causeOf } from '../../platform/command.ts';
import { temporaryName } from '../../platform/platform.ts';
import type { ResourceContext } from '../contract.ts';

export interface FileFilters {
  /** Shell command; "%" is a file with the new content. */
  readonly validate: string | undefined;
  /** Programs that the content runs through, in order. */
  readonly streamEdit: readonly string[];
}

const filterTimeoutMs = 60_000;
const filteredBytesLimit = 16 * 1024 * 1024;
/** A path of these characters needs no quotes, so "%" may stand within quotes of the command. */
const plainPath = /^[\w@+=:,./-]+$/;

/** Runs the content through each program: standard input to standard output. */
export async function filterContent(
  content: Uint8Array,
  programs: readonly string[],
  context: ResourceContext,
): Promise<Uint8Array> {
  let bytes = content;
  for (const program of programs) {
    const result = await context.platform.processes.run({
      argv: [program],
      stdin: bytes,
      timeoutMs: filterTimeoutMs,
      outputLimit: filteredBytesLimit,
      signal: context.signal,
    });
    if (result.timedOut) throw new AgentError('AGENT_COMMAND_TIMEOUT', { detail: program });
    if (result.exitCode !== 0)
      throw new AgentError('AGENT_COMMAND_FAILED', { detail: `${program}: ${causeOf(result)}` });
    if (result.truncated) throw new AgentError('AGENT_FILE_TOO_LARGE', { detail: program });
    bytes = new TextEncoder().encode(result.stdout);
  }
  return bytes;
}

/** @throws {AgentError} AGENT_VALIDATION_FAILED with what the command said. */
export async function validateContent(
  path: string,
  content: Uint8Array,
  filters: FileFilters,
  context: ResourceContext,
): Promise<void> {
  if (filters.validate === undefined) return;
  const { files, processes, host } = context.platform;
  const candidate = `${dirname(path)}/${temporaryName(hexadecimal(host.randomBytes(8)))}`;
  try {
    await files.writeAtomic(candidate, content, { mode: 0o600 });
    const command = filters.validate.replaceAll('%', () => quote(candidate));
    const result = await processes.run({
      argv: ['/bin/sh', '-c', command],
      timeoutMs: filterTimeoutMs,
      signal: context.signal,
    });
    if (result.timedOut) throw new AgentError('AGENT_COMMAND_TIMEOUT', { detail: command });
    if (result.exitCode !== 0)
      throw new AgentError('AGENT_VALIDATION_FAILED', {
        detail: `exit ${result.exitCode}: ${causeOf(result)}`,
      });
  } finally {
    await files.removeFile(candidate);
  }
}

/** One word of a POSIX shell, whatever the text holds. */
export function quote(text: string): string {
  return plainPath.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
