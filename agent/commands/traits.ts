import { AgentError } from '../errors.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';

export const traitsSpec: CommandSpec = {
  summary: 'show what is known of this machine, as JSON',
  operands: '[name...]',
  operandLimit: 50,
  options: {},
};

/** Operands name collectors ("os") or paths into them ("os.family"). */
export async function runTraits(context: CommandContext): Promise<number> {
  const { io, operands, parts, settings } = context;
  const names = [...new Set(operands.map((operand) => operand.split('.')[0]!))];
  const traits = await parts.collectTraits(
    parts.platform(settings),
    names.length === 0 ? undefined : names,
  );
  const shown =
    operands.length === 0
      ? traits
      : operands.length === 1
        ? valueAt(traits, operands[0]!)
        : Object.fromEntries(operands.map((operand) => [operand, valueAt(traits, operand)]));
  io.write(`${JSON.stringify(shown, undefined, settings.json ? undefined : 2)}\n`);
  return exitCodes.done;
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
