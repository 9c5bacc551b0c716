import { readHistory } from '../offline/history.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes } from './context.ts';
import { TerminalText } from './terminal-text.ts';
import { entryLine } from './why/text.ts';
import { entryLimit } from './why.ts';

export const historySpec: CommandSpec = {
  summary: 'show what was changed here, and what was in trouble, newest first',
  operandLimit: 0,
  options: {
    limit: { value: 'number', description: 'entries (30)' },
    module: { value: 'module', description: 'only resources of this module' },
    diff: { description: 'with what was changed' },
  },
  details: ['Examples:', '  vigo history', '  vigo history --module web --diff --limit 3'].join(
    '\n',
  ),
};

const defaultLimit = 30;

/** Reads the state directory only. */
export async function runHistory(context: CommandContext): Promise<number> {
  const { io, settings, options, parts } = context;
  const limit = entryLimit(context, defaultLimit);
  const module = options.get('module');
  const all = await readHistory(parts.openFiles(settings.stateDirectory));
  const entries = all
    .filter(({ id }) => module === undefined || id.startsWith(`${module}/`))
    .slice(-limit)
    .toReversed();
  if (settings.json) {
    io.write(`${JSON.stringify(entries)}\n`);
    return exitCodes.done;
  }
  const text = new TerminalText(io);
  if (entries.length === 0) text.line('Nothing has been changed here, as far as this node knows.');
  for (const entry of entries) {
    text.line(`${entry.id}  ${entryLine(entry, parts.clock.nowMs())}`);
    if (options.has('diff') && entry.diff !== '') text.block(entry.diff, '    ');
  }
  io.write(text.toString());
  return exitCodes.done;
}
