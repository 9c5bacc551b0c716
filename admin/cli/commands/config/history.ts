import type { Command } from 'commander';
import type { StackFile } from '../../../../actors/publish/messages.ts';
import type { PolicyVersionView } from '../../../api/backend.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import { limitOption } from '../../options.ts';
import type { OpenSession, Session } from '../../session.ts';
import type { Column } from '../../table.ts';
import { printable, printableLines } from '../../terminal-text.ts';
import { ago, clockTime, fieldLines, plural } from '../../words.ts';
import { extent, parseReference } from './shared.ts';
import { originWords } from './status.ts';

const columns: readonly Column<PolicyVersionView>[] = [
  { title: 'VERSION', value: (version) => String(version.version), align: 'right' },
  { title: 'PUBLISHED', value: (version) => ago(version.publishedAtMs, Date.now()) },
  { title: 'BY', value: (version) => version.publishedBy },
  { title: 'ENVOYS', value: (version) => String(version.changedEnvoys), align: 'right' },
  {
    title: 'BUNDLES',
    value: (version) => String(version.bundles),
    align: 'right',
    optional: true,
  },
  { title: 'ORIGIN', value: ({ origin }) => originWords(origin), flexible: true, optional: true },
  { title: 'MESSAGE', value: (version) => version.message, flexible: true },
];

interface ShowOptions {
  readonly files?: boolean;
  readonly file?: string;
}

export function addHistoryCommands(config: Command, open: OpenSession): void {
  const history = config
    .command('history')
    .description('list policy versions, newest first')
    .addOption(limitOption(20))
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const path = '/api/v1/config/history';
      const page = await it.client.get<{ items: PolicyVersionView[] }>(path, options);
      it.list(page, columns, 'Nothing was published yet: vigocli config publish');
    });
  examples(history, ['vigocli config history --limit 5']);

  const show = config
    .command('show')
    .argument('<version>', 'number, or "live", "stack", "candidate" with --files or --file')
    .description('show one version: who, when, why; its files, or one of them')
    .option('--files', 'list its files')
    .option('--file <path>', 'print this file of it, as it was published')
    .action(async (version: string, options: ShowOptions) => {
      const it = await open();
      if (options.files || options.file !== undefined) await showFiles(it, version, options.file);
      else await showVersion(it, version);
    });
  examples(show, [
    'vigocli config show 7',
    'vigocli config show 7 --files',
    'vigocli config show live --file modules/nginx.vgo',
  ]);
}

async function showVersion(it: Session, text: string): Promise<void> {
  const named = text === 'live' ? String(await liveVersion(it)) : text;
  if (!/^\d{1,15}$/.test(named)) {
    throw new AdminError('CLI_USAGE', `"${text}" is no version number; add --files or --file`);
  }
  const path = `/api/v1/config/versions/${named}`;
  const version = await it.client.get<PolicyVersionView>(path);
  it.print(version, () => describe(version, Date.now()));
}

async function liveVersion(it: Session): Promise<number> {
  return (await it.client.get<{ version: number }>('/api/v1/config/status')).version;
}

function describe(version: PolicyVersionView, nowMs: number): string {
  const { approval, counts, planId, publishedAtMs } = version;
  const lines: [string, string][] = [
    ['Version', `${version.version}, ${originWords(version.origin)}`],
    ['Published', `${clockTime(publishedAtMs)}, ${ago(publishedAtMs, nowMs)}`],
    ['By', printable(version.publishedBy)],
    ['Message', printable(version.message) || '-'],
    ['Content', version.contentHash],
  ];
  if (approval) {
    const why = approval.reason ? `: ${printable(approval.reason)}` : '';
    lines.push(['Approved', `by ${printable(approval.by)}, ${clockTime(approval.atMs)}${why}`]);
  }
  if (planId) lines.push(['Plan', printable(planId)]);
  if (counts) {
    lines.push(
      ['Stack', `${extent(counts)}, ${plural(counts.bundles, 'bundle')}`],
      ['Envoys', `${counts.changedEnvoys} of ${counts.totalEnvoys} changed policy`],
    );
  }
  return fieldLines(lines);
}

async function showFiles(it: Session, of: string, wanted: string | undefined): Promise<void> {
  const query = { of: parseReference(of) };
  const { files } = await it.client.get<{ files: StackFile[] }>('/api/v1/config/files', query);
  if (wanted === undefined) {
    const rows = files.map(({ path, text }) => ({ path, bytes: Buffer.byteLength(text) }));
    it.list({ items: rows }, fileColumns, 'It has no files.');
    return;
  }
  const found = files.find(({ path }) => path === wanted);
  if (!found) throw new AdminError('API_NOT_FOUND', `${wanted} in ${of}`);
  it.print(found, () => fileText(found.text));
}

const fileColumns: readonly Column<{ path: string; bytes: number }>[] = [
  { title: 'BYTES', value: ({ bytes }) => String(bytes), align: 'right' },
  { title: 'FILE', value: ({ path }) => path },
];

/** As it is for a file or a pipe; on a terminal without what could command it. */
function fileText(text: string): string {
  const shown = process.stdout.isTTY ? printableLines(text) : text;
  return shown.replace(/\n$/, '');
}
