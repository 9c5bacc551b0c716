import { changed, type PassResult } from '../converge/result.ts';
import { logFailure } from '../daemon.ts';
import { AgentError } from '../errors.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';
import { openAgent } from './open-agent.ts';

export const runSpec: CommandSpec = {
  summary: 'check in, converge once, report',
  operandLimit: 0,
  options: { offline: { description: 'do not ask the server; enforce the cached policy' } },
};

/** One pass. Trouble with the server does not stop it when a policy is at hand. */
export async function runOnce(context: CommandContext): Promise<number> {
  const { io, log, settings } = context;
  const open = await openAgent(context);
  const { agent } = open;
  open.tell();
  try {
    const trace = agent.newTrace();
    const traits = await agent.collectTraits();
    const contact = context.options.has('offline')
      ? exitCodes.done
      : await tryServer(() => agent.checkIn(traits, trace), log);
    const online = contact === exitCodes.done && !context.options.has('offline');
    const result = await agent.pass(traits, !online, io.signal, trace);
    const told = online ? await tryServer(() => agent.drain(trace), log) : contact;
    await agent.saveMemory();
    if (result === undefined) {
      io.writeError('vigo: there is no policy to enforce.\n');
      return told === exitCodes.done ? exitCodes.refused : told;
    }
    io.write(settings.json ? `${JSON.stringify(result)}\n` : describe(result));
    const code = passExitCode(result);
    return code === exitCodes.done ? told : code;
  } finally {
    open.close();
  }
}

/** The exit code of an attempt that may fail. */
async function tryServer(
  attempt: () => Promise<unknown>,
  log: CommandContext['log'],
): Promise<number> {
  try {
    await attempt();
    return exitCodes.done;
  } catch (error) {
    logFailure(log, error);
    return error instanceof AgentError ? error.exitCode : exitCodes.error;
  }
}

function passExitCode(result: PassResult): number {
  if (result.aborted) return exitCodes.error;
  const { failed, blocked, created, updated, deleted } = result.summary;
  if (failed + blocked > 0) return exitCodes.partial;
  return result.dryRun && created + updated + deleted > 0
    ? exitCodes.changesPending
    : exitCodes.done;
}

function describe(result: PassResult): string {
  const lines: string[] = [];
  for (const { id, action, reason, errorCode, diff } of result.resources) {
    if (!changed(action) && action !== 'failed' && action !== 'blocked') continue;
    const verb = result.dryRun && changed(action) ? `would be ${action}` : action;
    const code = errorCode === '' ? '' : ` [${errorCode}]`;
    lines.push(`${verb.padEnd(8)} ${id}: ${reason}${code}`);
    if (result.dryRun && diff !== '') lines.push(...diff.trimEnd().split('\n').map(indent));
  }
  const { total, unchanged, created, updated, deleted, skipped, blocked, failed } = result.summary;
  const changes = created + updated + deleted;
  lines.push(
    `${total} resources: ${unchanged} as declared, ${changes} ${result.dryRun ? 'to change' : 'changed'}, ` +
      `${skipped} skipped, ${blocked} blocked, ${failed} failed (${Math.round(result.durationMs)} ms)`,
  );
  return `${lines.join('\n')}\n`;
}

function indent(line: string): string {
  return `    ${line}`;
}
