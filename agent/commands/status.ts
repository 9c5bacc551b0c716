import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';
import { writeBrief } from './status/brief.ts';
import { collectStatus } from './status/collect.ts';
import type { StatusDocument } from './status/document.ts';
import { chosen, type ResourceFilter, writeStatus } from './status/text.ts';
import { TerminalText } from './terminal-text.ts';

export const statusSpec: CommandSpec = {
  summary: 'show what is enforced here; asks no server',
  operandLimit: 0,
  options: {
    all: { description: 'every resource, also those that are as declared' },
    failed: { description: 'only resources in trouble' },
    type: { value: 'type', description: 'only resources of this type' },
    module: { value: 'module', description: 'only resources of this module' },
    brief: { description: 'one or two lines, for login banners' },
  },
  details: [
    'Examples:',
    '  vigo status',
    '  vigo status --failed',
    '  vigo status --module web --json',
    '  vigo status --brief',
    '',
    'Whoever may not read the state directory sees everything but the resources,',
    'as long as the agent runs.',
  ].join('\n'),
};

/** Exit code 4 without an identity or with a policy that is refused; trouble of resources is no error here. */
export async function runStatus(context: CommandContext): Promise<number> {
  const { settings, options, io, parts } = context;
  const status = await collectStatus(context);
  const filter: ResourceFilter = {
    all: options.has('all'),
    failed: options.has('failed'),
    type: options.get('type'),
    module: options.get('module'),
  };
  const nowMs = parts.clock.nowMs();
  const text = new TerminalText(io);
  if (settings.json) io.write(`${JSON.stringify(filtered(status, filter))}\n`);
  else if (options.has('brief')) writeBrief(text, status, nowMs);
  else writeStatus(text, status, chosen(status.lastRun?.resources ?? [], filter), nowMs);
  if (!settings.json) io.write(text.toString());
  return exitCode(status);
}

/** Programs get every resource unless they ask for some. */
function filtered(status: StatusDocument, filter: ResourceFilter): StatusDocument {
  const { lastRun } = status;
  if (lastRun === undefined) return status;
  const resources = chosen(lastRun.resources, { ...filter, all: true });
  return { ...status, lastRun: { ...lastRun, resources } };
}

function exitCode({ identityProblem, policyProblem }: StatusDocument): number {
  return identityProblem === undefined && policyProblem === undefined
    ? exitCodes.done
    : exitCodes.refused;
}
