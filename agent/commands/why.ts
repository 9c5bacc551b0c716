import { buildPlan, type PlanNode } from '../converge/plan.ts';
import { AgentError } from '../errors.ts';
import { loadIdentity } from '../identity/identity.ts';
import { BundleCache } from '../offline/bundle-cache.ts';
import { readHistory } from '../offline/history.ts';
import { loadRunState } from '../offline/run-state.ts';
import { closestName } from '../policy/closest.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';
import { remedyOf } from './status/collect.ts';
import { storedTraits } from './status/machine.ts';
import { TerminalText } from './terminal-text.ts';
import { conditionFacts } from './why/conditions.ts';
import type { WhyDocument } from './why/document.ts';
import { writeWhy } from './why/text.ts';
import { readVariables } from './why/variables.ts';

/** Names of several resources that one word may mean, in the error. */
const meaningLimit = 5;

export const whySpec: CommandSpec = {
  summary: 'tell where a resource comes from and why it last changed',
  operands: '<resource>',
  operandLimit: 1,
  options: { limit: { value: 'number', description: 'entries of its history (10)' } },
  details: [
    'Examples:',
    '  vigo why web/nginx.conf',
    '  vigo why nginx.conf          when no other module has one of that name',
    '  vigo why web/nginx.conf --json',
  ].join('\n'),
};

const defaultLimit = 10;

/** Reads state files only. Exit code 4 without a policy, 64 for a resource that is not in it. */
export async function runWhy(context: CommandContext): Promise<number> {
  const { io, settings, operands, parts } = context;
  const wanted = operands[0];
  if (wanted === undefined) throw new AgentError('AGENT_USAGE', 'why needs a resource');
  const limit = entryLimit(context, defaultLimit);
  const document = await explain(context, wanted, limit);
  if (settings.json) {
    io.write(`${JSON.stringify(document)}\n`);
    return exitCodes.done;
  }
  const text = new TerminalText(io);
  writeWhy(text, document, parts.clock.nowMs());
  io.write(text.toString());
  return exitCodes.done;
}

/** The option `--limit`. Throws AGENT_USAGE. */
export function entryLimit({ options }: CommandContext, otherwise: number): number {
  const text = options.get('limit');
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new AgentError('AGENT_USAGE', `--limit ${text}: expected a number from 1`);
  return Number(text);
}

async function explain(
  { settings, parts }: CommandContext,
  wanted: string,
  limit: number,
): Promise<WhyDocument> {
  const files = parts.openFiles(settings.stateDirectory);
  const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  const state = await loadRunState(files);
  const held = state.held === undefined ? {} : { held: state.held };
  const { envoyId, bundlePublicKey: publicKey } = identity;
  const cache = new BundleCache(files, parts.verifier());
  const policy = await cache.load({ envoyId, publicKey, ...held });
  if (policy === undefined) throw new AgentError('AGENT_NO_POLICY', files.directory);
  const { nodes } = buildPlan(policy.document);
  const node = find(nodes, wanted);
  const { id, module, resource } = node;
  const stored = await storedTraits(files);
  const traits = stored?.traits ?? {};
  const names = (positions: readonly number[]) => positions.map((one) => nodes[one]!.id);
  const dependents = nodes.filter(({ dependencies }) => dependencies.includes(node.index));
  const last = state.lastRun?.resources.find((one) => one.id === id);
  const remedy = remedyOf(last?.errorCode ?? '');
  const history = (await readHistory(files)).filter((entry) => entry.id === id);
  return {
    id,
    type: resource.type,
    module: module.name,
    policyVersion: policy.manifest.policyVersion,
    trace: `vigocli config trace ${parts.host.hostname()} --module ${module.name}`,
    parameters: resource.parameters,
    ...(resource.item === undefined ? {} : { item: resource.item }),
    conditions: await conditionFacts(module, resource, traits),
    ...(await readVariables(policy.document, module, resource, traits)),
    needs: names(node.dependencies),
    neededBy: dependents.map((one) => one.id),
    triggers: names(node.triggers),
    triggeredBy: names(node.triggeredBy),
    ...(last === undefined ? {} : { last: { ...last, ...(remedy && { remedy }) } }),
    history: history.slice(-limit).toReversed(),
  };
}

/** By its whole id, or by its name when that is the only one. Throws AGENT_USAGE. */
function find(nodes: readonly PlanNode[], wanted: string): PlanNode {
  const exact = nodes.find(({ id }) => id === wanted);
  if (exact !== undefined) return exact;
  const named = nodes.filter(({ resource }) => resource.name === wanted);
  if (named.length === 1) return named[0]!;
  const ids = nodes.map(({ id }) => id);
  if (named.length > 1) {
    const some = named.slice(0, meaningLimit).map(({ id }) => id);
    throw new AgentError('AGENT_USAGE', `${wanted} may be ${some.join(', ')}`);
  }
  const near = closestName(wanted, [...ids, ...nodes.map(({ resource }) => resource.name)]);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new AgentError('AGENT_USAGE', `the policy has no resource ${wanted}${hint}`);
}
