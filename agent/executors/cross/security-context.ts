import { AgentError } from '../../errors.ts';
import { causeOf } from '../../platform/command.ts';
import type { ResourceContext } from '../contract.ts';

const selinuxMark = '/sys/fs/selinux/enforce';
const toolTimeoutMs = 10_000;

/**
 * The SELinux context of a file; "" for a file that is not there yet. Undefined when this machine
 * has no SELinux: then contexts are of no concern.
 */
export async function securityContext(
  path: string | undefined,
  context: ResourceContext,
): Promise<string | undefined> {
  const { files, paths, processes } = context.platform;
  const mark = paths.confined ? selinuxMark : await paths.resolve(selinuxMark);
  if ((await files.status(mark)) === undefined) return undefined;
  if (paths.confined) throw new AgentError('AGENT_TYPE_NOT_CONFINABLE', { detail: 'secontext' });
  if (path === undefined) return '';
  const result = await processes.run({
    argv: ['stat', '--format=%C', '--', path],
    timeoutMs: toolTimeoutMs,
    signal: context.signal,
  });
  return result.stdout.trim();
}

export async function changeSecurityContext(
  path: string,
  wanted: string,
  context: ResourceContext,
): Promise<void> {
  const result = await context.platform.processes.run({
    argv: ['chcon', '--no-dereference', '--', wanted, path],
    timeoutMs: toolTimeoutMs,
    signal: context.signal,
  });
  if (result.exitCode !== 0)
    throw new AgentError('AGENT_COMMAND_FAILED', { detail: `chcon: ${causeOf(result)}` });
}
