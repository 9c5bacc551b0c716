import { AgentError } from '../errors.ts';
import { loadIdentity } from '../identity/identity.ts';
import { closestName } from '../policy/closest.ts';
import { uuidToText } from '../protocol/uuid.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory, traitFacts } from './context.ts';

export const traitsSpec: CommandSpec = {
  summary: 'show what is known of this machine, as JSON',
  operands: '[name...]',
  operandLimit: 50,
  options: {},
};

/** Operands name collectors ("os") or paths into them ("os.family"). */
export async function runTraits(context: CommandContext): Promise<number> {
  const { io, log, operands, parts, settings } = context;
  const names = [...new Set(operands.map((operand) => operand.split('.')[0]!))];
  const envoyUuid = await knownEnvoy(context);
  const collection = parts.openTraits(parts.platform(settings), traitFacts(settings, envoyUuid));
  const unknown = names.find((name) => !collection.names.includes(name));
  if (unknown !== undefined) {
    const near = closestName(unknown, collection.names);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new AgentError('AGENT_USAGE', `no trait ${unknown}${hint}`);
  }
  const { traits, errors } = await collection.collect(names.length === 0 ? undefined : names);
  for (const [name, error] of Object.entries(errors)) log.log('warn', `trait ${name}: ${error}`);
  const shown =
    operands.length === 0
      ? traits
      : operands.length === 1
        ? valueAt(traits, operands[0]!)
        : Object.fromEntries(operands.map((operand) => [operand, valueAt(traits, operand)]));
  io.write(`${JSON.stringify(shown, undefined, settings.json ? undefined : 2)}\n`);
  return exitCodes.done;
}

/** Traits are shown on machines that are not registered, too. */
async function knownEnvoy({ settings, parts }: CommandContext): Promise<string | undefined> {
  try {
    const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
    return uuidToText(identity.envoyId);
  } catch {
    return undefined;
  }
}

function valueAt(traits: unknown, path: string): unknown {
  let value = traits;
  for (const name of path.split('.')) {
    const inner = typeof value === 'object' && value !== null ? value : {};
    if (!Object.hasOwn(inner, name)) throw new AgentError('AGENT_USAGE', `no trait ${path}`);
    value = (inner as Record<string, unknown>)[name];
  }
  return value;
}
