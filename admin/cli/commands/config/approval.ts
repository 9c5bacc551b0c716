import type { Command } from 'commander';
import type { PublishResult } from '../../../../actors/publish/messages.ts';
import type { CandidateView } from '../../../../actors/publish/version.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession, Session } from '../../session.ts';
import type { Column } from '../../table.ts';
import { printable } from '../../terminal-text.ts';
import { ago } from '../../words.ts';
import { tellPublished } from './publish.ts';
import { briefHashLength, publishTimeoutMs, showingDiagnostics } from './shared.ts';

/** Digits that must be given: few enough to type, too many to hit another stack by chance. */
const hashDigitsMin = 8;

const columns: readonly Column<CandidateView>[] = [
  {
    title: 'CONTENT',
    value: (candidate) => candidate.contentHash,
    brief: (candidate) => candidate.contentHash.slice(0, briefHashLength),
  },
  { title: 'AUTHOR', value: (candidate) => candidate.author, flexible: true },
  { title: 'MADE', value: (candidate) => ago(candidate.createdAtMs, Date.now()) },
  { title: 'EXPIRES', value: (candidate) => ago(candidate.expiresAtMs, Date.now()) },
  { title: 'BASE', value: (candidate) => String(candidate.baseVersion), align: 'right' },
  {
    title: 'ENVOYS',
    value: ({ counts }) => String(counts.changedEnvoys),
    align: 'right',
    optional: true,
  },
  { title: 'MESSAGE', value: (candidate) => candidate.message, flexible: true },
];

export function addApprovalCommands(config: Command, open: OpenSession): void {
  config
    .command('candidates')
    .description('list what waits for a second administrator')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<{ items: CandidateView[] }>('/api/v1/config/candidates');
      it.list(page, columns, 'Nothing waits for an approval.');
    });

  const approve = config
    .command('approve')
    .argument('<content-hash>', `of the candidate, at least ${hashDigitsMin} digits`)
    .description('put a candidate of somebody else in force')
    .option('--reason <text>', 'for the audit log', '')
    .option('--wait', 'follow the rollout to its end')
    .action(async (hash: string, options: { reason: string; wait?: boolean }) => {
      const it = await open();
      const { contentHash } = await candidateOf(it, hash);
      const body = { contentHash, reason: options.reason };
      const result = await showingDiagnostics(it, () =>
        it.client.post<PublishResult>('/api/v1/config/approve', body, publishTimeoutMs),
      );
      await tellPublished(it, result, options.wait === true);
    });
  examples(approve, [
    'vigocli config candidates',
    'vigocli config diff --to candidate',
    'vigocli config approve 3f2a9c01b7de --reason "reviewed with the database team"',
  ]);

  const reject = config
    .command('reject')
    .argument('<content-hash>', `of the candidate, at least ${hashDigitsMin} digits`)
    .description('drop a candidate; its author may do it too')
    .requiredOption('--reason <text>', 'told to the author')
    .action(async (hash: string, { reason }: { reason: string }) => {
      const it = await open();
      const { contentHash } = await candidateOf(it, hash);
      const body = { contentHash, reason };
      const candidate = await it.client.post<CandidateView>('/api/v1/config/reject', body);
      it.print(candidate, () => `The candidate of ${printable(candidate.author)} is rejected.`);
    });
  examples(reject, ['vigocli config reject 3f2a9c01b7de --reason "breaks the backup window"']);
}

/** The approval binds the whole hash; people type its beginning. */
async function candidateOf(it: Session, hash: string): Promise<CandidateView> {
  const given = hash.toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(given)) {
    const detail = `"${hash}" is not ${hashDigitsMin} to 64 hexadecimal digits`;
    throw new AdminError('CLI_USAGE', detail);
  }
  const { items } = await it.client.get<{ items: CandidateView[] }>('/api/v1/config/candidates');
  const found = items.find(({ contentHash }) => contentHash.startsWith(given));
  if (found) return found;
  const known = items.map(({ contentHash }) => contentHash.slice(0, briefHashLength)).join(', ');
  const detail = `candidate ${given}${known ? `; there is ${known}` : ''}`;
  throw new AdminError('API_NOT_FOUND', detail, undefined, 'see vigocli config candidates');
}
