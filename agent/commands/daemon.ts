import { Daemon } from '../daemon.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';
import { openAgent } from './open-agent.ts';

export const daemonSpec: CommandSpec = {
  summary: 'keep this machine as declared until told to stop',
  operandLimit: 0,
  options: {},
};

export async function runDaemon(context: CommandContext): Promise<number> {
  const { io, log, settings } = context;
  const { agent, clock, intervalMs, random, close, tell } = await openAgent(context, true);
  try {
    log.log('info', 'vigo starts', {
      version: agentVersion,
      intervalMs,
      ...(settings.root === '/' ? {} : { root: settings.root }),
      ...(settings.dryRun ? { dryRun: true } : {}),
    });
    const fixedInterval = settings.intervalMs !== undefined;
    const daemon = new Daemon({ agent, clock, log, random, intervalMs, fixedInterval });
    tell(() => daemon.schedule());
    await daemon.run(io.signal);
    await agent.saveMemory();
    log.log('info', 'vigo stops');
    return exitCodes.done;
  } finally {
    close();
  }
}
