import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import t from 'tap';
import { exitCodes } from '../../../admin/cli/exit-codes.ts';
import { buildProgram } from '../../../admin/cli/program.ts';

const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
/** Without its heading and what follows the last command. */
function sectionBody(part: string): string {
  return (part.split(/^## /m)[0] ?? '').replace(/^.*\n/, '');
}

const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), sectionBody(part)]),
);

function leaves(command: Command, path = command.name()): [string, Command][] {
  if (command.commands.length === 0) return [[path, command]];
  return command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`));
}

/** Explained once, for all views that have them. */
const shared = new Set(['--watch', '--every']);

/** The words of a shell line, without redirections. */
function shellWords(line: string): string[] {
  const words = line.replace(/ > .*/, '').match(/"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ''));
}

t.test('docs/cli.md has every command with its options, and no other', async (t) => {
  const known = leaves(buildProgram());
  t.same([...sections.keys()].sort(), known.map(([path]) => path).sort());
  for (const [path, command] of known) {
    const own = command.options.filter(({ long }) => !shared.has(long ?? ''));
    for (const { long } of own) t.match(sections.get(path), long ?? '', path);
  }
  for (const { long } of buildProgram().options) t.match(text, long ?? '', 'a global option');
});

t.test('every example is understood by vigocli', async (t) => {
  for (const [path, section] of sections) {
    const lines = [...section.matchAll(/^vigocli .*$/gm)].map(([line]) => line);
    t.ok(lines.length > 0, `${path} has an example`);
    for (const line of lines) {
      const program = buildProgram();
      let ran = '';
      for (const [name, command] of leaves(program)) {
        command.action(() => {
          ran = name;
        });
      }
      await program.parseAsync(['node', ...shellWords(line)]);
      t.equal(ran, path, line);
    }
  }
});

t.test('the exit codes are those of the program', async (t) => {
  const table = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  t.same(table, Object.values(exitCodes));
});
