import { AgentError } from '../../errors.ts';
import { causeOf, machineCode, runTool } from '../command.ts';
import type { Platform, RunResult } from '../platform.ts';

const timeoutMs = 60_000;

/** Runs a firewall's tool; trouble with its lock is trouble around it, everything else a failure. */
export async function runFirewall(
  platform: Platform,
  argv: readonly [string, ...string[]],
  signal: AbortSignal | undefined,
  stdin?: string,
): Promise<RunResult> {
  const result = await runTool(platform, argv, {
    timeoutMs,
    signal,
    outputLimit: 4 * 1024 * 1024,
    ...(stdin === undefined ? {} : { stdin }),
  });
  if (result.exitCode === 0) return result;
  if (/xtables lock|Resource temporarily unavailable|NOT_RUNNING/.test(result.stderr))
    throw new AgentError('AGENT_FIREWALL_BUSY', { detail: `${argv[0]}: ${causeOf(result)}` });
  throw new AgentError(machineCode(result) ?? 'AGENT_FIREWALL_FAILED', {
    detail: `${argv[0]}: exit code ${result.exitCode}: ${causeOf(result)}`,
  });
}
