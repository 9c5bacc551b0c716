import type { Command } from 'commander';
import {
  type SearchKind,
  type SearchMatch,
  type SearchResult,
  searchKinds,
} from '../../../../actors/explain/messages.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import { limitOption } from '../../options.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';
import { publishTimeoutMs } from './shared.ts';
import { addSourceOptions, type SourceOptions, sourceBody } from './source.ts';

type SearchOptions = SourceOptions & { readonly [Kind in SearchKind]?: boolean } & {
  readonly limit: string;
};

const columns: readonly Column<SearchMatch>[] = [
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'PLACE', value: ({ place: { file, line, column } }) => `${file}:${line}:${column}` },
  {
    title: 'DETAIL',
    value: ({ detail, layer }) => detail + (layer ? ` (${layer})` : ''),
    flexible: true,
  },
];

const kindWords: Readonly<Record<SearchKind, string>> = {
  module: 'modules by name',
  role: 'roles by name',
  entry: 'entries by pattern or environment',
  resource: 'resources by name',
  type: 'resources by type',
  var: 'variables, in every layer that sets them',
  file: 'files by path',
  text: 'lines that hold the pattern',
};

export function addSearchCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('search')
    .argument('<pattern>', 'part of a name, or a glob')
    .description('find modules, resources, variables, files and lines, with their place');
  for (const kind of searchKinds) command.option(`--${kind}`, `only ${kindWords[kind]}`);
  command.addOption(limitOption(100)).action(async (pattern: string, options: SearchOptions) => {
    const it = await open();
    const kinds = searchKinds.filter((kind) => options[kind]);
    const body = {
      ...sourceBody(options),
      pattern,
      limit: Number(options.limit),
      ...(kinds.length === 0 ? {} : { kinds }),
    };
    const path = '/api/v1/config/search';
    const result = await it.client.post<SearchResult>(path, body, publishTimeoutMs);
    if (result.matches.length === 0) process.exitCode = exitCodes.error;
    it.list({ items: result.matches }, columns, 'Nothing fits.');
    if (result.truncated) it.note('There is more: raise --limit.');
  });
  addSourceOptions(command);
  examples(command, [
    'vigocli config search nginx',
    'vigocli config search worker_count --var',
    'vigocli config search "web/*" --resource --live',
  ]);
}
