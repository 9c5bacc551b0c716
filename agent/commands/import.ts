import { AgentError } from '../errors.ts';
import { importers, importModule } from '../import/import.ts';
import { moduleText } from '../import/module-text.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';

const operandLimit = 1_000;
const moduleNamePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

export const importSpec: CommandSpec = {
  summary: 'write what this machine has as policy',
  operands: '<kind[=name]...>',
  operandLimit,
  options: { module: { value: 'name', description: 'name of the module (imported)' } },
  details: [
    'Examples:',
    '  vigo import package service > modules/base.vgo',
    '  vigo import --module web package=nginx file=/etc/nginx/ service=nginx',
    '  vigo import user=ada group=developers cron=backup',
    '',
    'Kinds, and what a kind without a name stands for:',
    ...importers.map(({ kind, scope }) => `  ${kind.padEnd(10)}${scope}`),
  ].join('\n'),
};

/** Prints the module; exit code 3 when something chosen was left out. Changes nothing. */
export async function runImport(context: CommandContext): Promise<number> {
  const { io, operands, options, parts, settings } = context;
  const module = options.get('module') ?? 'imported';
  if (!moduleNamePattern.test(module))
    throw new AgentError('AGENT_USAGE', `--module ${module}: letters, digits, ".", "_" and "-"`);
  if (operands.length === 0)
    throw new AgentError(
      'AGENT_USAGE',
      `import needs at least one of ${importers.map(({ kind }) => kind).join(', ')}`,
    );
  const platform = parts.platform(settings);
  const facts = { envoyUuid: undefined, agentVersion };
  const { traits } = await parts.openTraits(platform, facts).collect();
  const request = { module, selectors: operands, traits };
  const engine = parts.engine(settings, platform);
  const imported = await importModule(request, engine, { platform, signal: io.signal });
  io.write(
    settings.json ? `${JSON.stringify(imported)}\n` : moduleText(imported, parts.host.hostname()),
  );
  for (const { what, reason } of imported.leftOut)
    io.writeError(`vigo: left out ${what}: ${reason}\n`);
  return imported.leftOut.length === 0 ? exitCodes.done : exitCodes.partial;
}
