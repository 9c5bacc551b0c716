import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { type CommandOptions, causeOf, machineCode, runTool } from '../../platform/command.ts';
import type { RunResult } from '../../platform/platform.ts';
import type { ResourceContext } from '../contract.ts';

/** Runs a tool that must succeed; what it complains about is in the error. */
export async function mustRun(
  argv: readonly [string, ...string[]],
  context: ResourceContext,
  code: AgentErrorCode = 'AGENT_COMMAND_FAILED',
  options: Omit<CommandOptions, 'signal'> = {},
): Promise<RunResult> {
  const result = await runTool(context.platform, argv, { ...options, signal: context.signal });
  if (result.exitCode !== 0) throw toolFailure(argv, result, code);
  return result;
}

const shownWords = 3;

export function toolFailure(
  argv: readonly [string, ...string[]],
  result: RunResult,
  code: AgentErrorCode,
): AgentError {
  const words = argv.slice(0, shownWords).join(' ');
  const around = machineCode(result);
  if (around !== undefined) return new AgentError(around, { detail: words });
  return new AgentError(code, {
    detail: `${words}: exit code ${result.exitCode}: ${causeOf(result)}`,
  });
}
