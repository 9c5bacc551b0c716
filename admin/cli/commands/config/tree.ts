import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { StackTree, TreeDirectory, TreeEntry } from '../../../../actors/explain/messages.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { publishTimeoutMs } from './shared.ts';
import { addSourceOptions, type SourceOptions, sourceBody } from './source.ts';

export function addTreeCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('tree')
    .description('show the directories of a stack: entries, and what they inherit')
    .action(async (options: SourceOptions) => {
      const it = await open();
      const path = '/api/v1/config/tree';
      const tree = await it.client.post<StackTree>(path, sourceBody(options), publishTimeoutMs);
      it.print(tree, () => describe(tree));
    });
  addSourceOptions(command);
  examples(command, ['vigocli config tree', 'vigocli config tree --stack ./my-stack']);
}

function describe({ source, directories }: StackTree): string {
  return directories
    .flatMap((directory) => {
      const depth = directory.path === '' ? 0 : directory.path.split('/').length;
      const indent = '  '.repeat(depth);
      return describeDirectory(directory, source).map((line) => indent + line);
    })
    .join('\n');
}

function describeDirectory(directory: TreeDirectory, source: string): string[] {
  const { path, inherits, files, entries } = directory;
  const name = path === '' ? source : (path.split('/').at(-1) ?? '');
  const from =
    inherits.length === 0
      ? ''
      : styleText('gray', `  inherits ${inherits.map(printable).join(', ')}`);
  const lines = [`${styleText('bold', `${printable(name)}/`)}${from}`];
  for (const file of files) {
    const kind = file.kind === 'entries' ? '' : styleText('gray', `  ${file.kind}`);
    lines.push(`  ${printable(file.path.split('/').at(-1) ?? '')}${kind}`);
    const own = entries.filter(({ place }) => place.file === file.path);
    lines.push(...own.map((entry) => `    ${describeEntry(entry)}`));
  }
  return lines;
}

function describeEntry({ patterns, environment, roles, modules }: TreeEntry): string {
  const parts = [styleText('cyan', patterns.map(printable).join(', '))];
  if (environment) parts.push(`environment ${printable(environment)}`);
  if (roles.length > 0) parts.push(`roles ${roles.map(printable).join(', ')}`);
  parts.push(modules.length === 0 ? 'no modules' : `modules ${modules.map(printable).join(', ')}`);
  return parts.join('; ');
}
