import { styleText } from 'node:util';
import type { Command } from 'commander';
import type {
  FileChange,
  GroupChange,
  StackComparison,
} from '../../../../actors/publish/comparison.ts';
import type { StackFile } from '../../../../actors/publish/messages.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { OpenSession, Session } from '../../session.ts';
import { readStackDirectory } from '../../stack-directory.ts';
import { printable } from '../../terminal-text.ts';
import { colourDiff, unifiedDiff } from '../../text-diff.ts';
import { plural } from '../../words.ts';
import { parseReference, stackOption } from './shared.ts';

interface DiffOptions {
  readonly from: string;
  readonly to?: string;
  readonly stack?: string;
  readonly brief?: boolean;
}

/** What is shown; `groups` only when the server compiled both sides. */
type Comparison = Pick<StackComparison, 'files' | 'groups' | 'truncated'> & {
  readonly from: { readonly name: string };
  readonly to: { readonly name: string };
};

const marks = { added: ['green', '+'], removed: ['red', '-'], changed: ['yellow', '~'] } as const;

export function addDiffCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('diff')
    .description('compare two stacks: files, and what each group of envoys would get')
    .option('--from <what>', 'version, "live", "stack" or "candidate"', 'live')
    .option('--to <what>', 'the same; default: the stack directory of the server')
    .addOption(stackOption())
    .option('--brief', 'names only')
    .action(async (options: DiffOptions) => {
      const it = await open();
      const comparison = await compare(it, options);
      const differs = comparison.files.length + comparison.groups.length > 0;
      if (differs) process.exitCode = exitCodes.changesPending;
      it.print(comparison, () => describe(comparison, options.brief === true));
    });
  examples(command, [
    'vigocli config diff',
    'vigocli config diff --from 5 --to 7',
    'vigocli config diff --to candidate',
    'vigocli config diff --stack ./my-stack',
  ]);
}

async function compare(it: Session, options: DiffOptions): Promise<Comparison> {
  const from = parseReference(options.from);
  if (options.stack === undefined) {
    const to = parseReference(options.to ?? 'stack');
    return await it.client.get<StackComparison>('/api/v1/config/diff', { from, to });
  }
  const path = '/api/v1/config/files';
  const { files } = await it.client.get<{ files: StackFile[] }>(path, { of: from });
  return {
    from: { name: from },
    to: { name: options.stack },
    files: compareFiles(files, readStackDirectory(options.stack)),
    groups: [],
    truncated: false,
  };
}

export function compareFiles(
  before: readonly StackFile[],
  after: readonly StackFile[],
): FileChange[] {
  const old = new Map(before.map(({ path, text }) => [path, text]));
  const now = new Map(after.map(({ path, text }) => [path, text]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === is) return [];
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    return [{ path, change, diff: unifiedDiff(path, was ?? '', is ?? '') }];
  });
}

function describe({ from, to, files, groups, truncated }: Comparison, brief: boolean): string {
  if (files.length + groups.length === 0) {
    return `No difference between ${printable(from.name)} and ${printable(to.name)}.`;
  }
  const parts = files.map((file) => {
    const [colour, mark] = marks[file.change];
    const name = `${styleText(colour, mark)} ${printable(file.path)}`;
    return brief || file.diff === '' ? name : `${name}\n${colourDiff(file.diff)}`;
  });
  parts.push(...groups.map((group) => describeGroup(group, brief)));
  if (truncated) parts.push('There is more; the lists above are cut.');
  return parts.join('\n');
}

function describeGroup(group: GroupChange, brief: boolean): string {
  const name = group.match.map(printable).join(', ') || 'no entry';
  const hosts = group.hostnames.map(printable).join(', ');
  const more = group.envoys > group.hostnames.length ? ', …' : '';
  const head = styleText('bold', `\n${name}: ${plural(group.envoys, 'envoy')}`);
  const resources = group.resources.map(({ id, type, change, diff }) => {
    const [colour, mark] = marks[change];
    const line = `  ${styleText(colour, mark)} ${printable(id)}  ${printable(type)}`;
    if (brief || diff === '') return line;
    const body = colourDiff(diff).split('\n');
    return [line, ...body.map((each) => `      ${each}`)].join('\n');
  });
  return [`${head}${hosts ? ` (${hosts}${more})` : ''}`, ...resources].join('\n');
}
