import { AgentError } from '../../../errors.ts';
import { runTool } from '../../../platform/command.ts';
import type { Platform, RunResult } from '../../../platform/platform.ts';
import { readText } from '../../../platform/text-file.ts';
import type { Drift, ResourceContext } from '../../contract.ts';
import { toolFailure } from '../../unix/tool.ts';

/** What was found of one thing of SELinux, and how it is put right. */
export interface Finding {
  readonly drift: Drift;
  readonly repair: (context: ResourceContext) => Promise<void>;
}

export const configFile = '/etc/selinux/config';
export const enforceFile = '/sys/fs/selinux/enforce';
const defaultPolicy = 'targeted';
/** Where libsemanage keeps what was set locally; the second place is that of releases before 2.4. */
const stores = (policy: string) => [
  `/var/lib/selinux/${policy}/active`,
  `/etc/selinux/${policy}/active`,
  `/etc/selinux/${policy}/modules/active`,
];
const toolTimeoutMs = 120_000;

/** The value of an assignment in /etc/selinux/config. */
export function configured(config: string, name: string): string | undefined {
  return new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(config)?.[1];
}

/** @throws {AgentError} AGENT_SELINUX_OFF when the kernel enforces and permits nothing. */
export async function requireRunning(platform: Platform): Promise<void> {
  const mark = await platform.paths.resolve(enforceFile);
  if ((await platform.files.status(mark)) === undefined) throw new AgentError('AGENT_SELINUX_OFF');
}

/** The loaded policy's name: "targeted", "default", "mls". */
export async function policyName(platform: Platform): Promise<string> {
  const name = configured((await readText(platform, configFile)) ?? '', 'SELINUXTYPE');
  return name !== undefined && /^[A-Za-z0-9_-]+$/.test(name) ? name : defaultPolicy;
}

/** Lines of one of libsemanage's local records, without comments; none when nothing was set. */
export async function localRecord(name: string, platform: Platform): Promise<string[]> {
  for (const store of stores(await policyName(platform))) {
    const text = await readText(platform, `${store}/${name}`);
    if (text !== undefined) return recordLines(text);
  }
  return [];
}

export function recordLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The type of a context "user:role:type:range". */
export function typeOf(context: string): string {
  return context.split(':')[2] ?? '';
}

/** Runs a policy tool that must succeed, told apart from one that must wait for another. */
export async function policyTool(
  argv: readonly [string, ...string[]],
  context: ResourceContext,
): Promise<RunResult> {
  const result = await tryPolicyTool(argv, context);
  if (result.exitCode !== 0) throw toolFailure(argv, result, 'AGENT_SELINUX_FAILED');
  return result;
}

async function tryPolicyTool(
  argv: readonly [string, ...string[]],
  context: ResourceContext,
): Promise<RunResult> {
  const result = await runTool(context.platform, argv, {
    signal: context.signal,
    timeoutMs: toolTimeoutMs,
  });
  if (result.exitCode !== 0 && /transaction lock|read lock|in use by another/.test(result.stderr))
    throw new AgentError('AGENT_SELINUX_BUSY', { detail: argv[0] });
  return result;
}

/**
 * Adds or changes a local rule. Releases of semanage differ in whether -a changes what the policy
 * itself has, so -m is tried when -a says that it is there.
 */
export async function setRule(
  kind: 'fcontext' | 'port',
  words: readonly string[],
  context: ResourceContext,
): Promise<void> {
  const argv = ['semanage', kind, '-a', ...words] as const;
  const added = await tryPolicyTool(argv, context);
  if (added.exitCode === 0) return;
  // Where the policy lets semanage not write to the agent's socket, it says nothing at all.
  const told = added.stderr.trim();
  if (told !== '' && !/already defined/.test(told))
    throw toolFailure(argv, added, 'AGENT_SELINUX_FAILED');
  await policyTool(['semanage', kind, '-m', ...words], context);
}
