import { AgentError, type AgentErrorCode } from '../errors.ts';
import { PlatformError } from '../platform/platform-error.ts';

export interface Failure {
  readonly action: 'failed' | 'blocked';
  readonly reason: string;
  readonly errorCode: AgentErrorCode;
}

const reasonLimit = 1000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controlCharacters = /[\u0000-\u001f\u007f]+/g;

const codes: Readonly<Record<string, AgentErrorCode>> = {
  ENOSPC: 'AGENT_DISK_FULL',
  EDQUOT: 'AGENT_DISK_FULL',
  EROFS: 'AGENT_READ_ONLY_FILE_SYSTEM',
  EMFILE: 'AGENT_RESOURCES_EXHAUSTED',
  ENFILE: 'AGENT_RESOURCES_EXHAUSTED',
  ENOMEM: 'AGENT_RESOURCES_EXHAUSTED',
  EAGAIN: 'AGENT_RESOURCES_EXHAUSTED',
  EACCES: 'AGENT_PERMISSION_DENIED',
  EPERM: 'AGENT_PERMISSION_DENIED',
  EFBIG: 'AGENT_FILE_TOO_LARGE',
  ELOOP: 'AGENT_PATH_LOOP',
  ENOTEMPTY: 'AGENT_PATH_OCCUPIED',
  ENOTDIR: 'AGENT_PATH_OCCUPIED',
  EISDIR: 'AGENT_PATH_OCCUPIED',
  ENOENT: 'AGENT_PATH_MISSING',
  ECANCELED: 'AGENT_ABORTED',
};

/**
 * Gives whatever an executor threw its code, and tells trouble around the node from its own. The reason
 * may hold a secret: it is cleaned, and only then cut, where it leaves the pass.
 */
export function toFailure(thrown: unknown): Failure {
  const error = toAgentError(thrown);
  return { action: error.outcome, reason: error.message, errorCode: error.code };
}

function toAgentError(thrown: unknown): AgentError {
  if (thrown instanceof AgentError) return thrown;
  if (!(thrown instanceof PlatformError)) {
    const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return new AgentError('AGENT_INTERNAL', { detail }, { cause: thrown });
  }
  const missingProgram = thrown.operation === 'spawn' && thrown.code === 'ENOENT';
  const code = missingProgram ? 'AGENT_COMMAND_MISSING' : codes[thrown.code];
  return new AgentError(
    code ?? 'AGENT_SYSTEM_CALL',
    { detail: missingProgram ? (thrown.path ?? '') : thrown.message },
    { cause: thrown },
  );
}

/** Fit for a table: no line breaks, no control characters, bounded. */
export function oneLine(text: string): string {
  const line = text.replace(controlCharacters, ' ').trim();
  return line.length <= reasonLimit ? line : `${line.slice(0, reasonLimit - 1)}…`;
}
