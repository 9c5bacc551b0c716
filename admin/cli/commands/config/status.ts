import type { Command } from 'commander';
import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { VersionOrigin } from '../../../../actors/publish/version.ts';
import type { OpenSession } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { ago, fieldLines, plural } from '../../words.ts';
import { untilWords } from './freeze.ts';
import { stageWords } from './rollout-text.ts';
import { briefHashLength } from './shared.ts';

export function addStatusVerb(config: Command, open: OpenSession): void {
  config
    .command('status')
    .description('show the live version, what waits, a freeze and the rollout')
    .action(async () => {
      const it = await open();
      const status = await it.client.get<PublishStatus>('/api/v1/config/status');
      it.print(status, () => describe(status, Date.now()));
    });
}

function describe(status: PublishStatus, nowMs: number): string {
  const { version, candidate, freeze, rollout } = status;
  const lines: [string, string][] = [];
  if (version === 0) {
    lines.push(['Version', 'none: nothing was published yet']);
  } else {
    lines.push(
      ['Version', `${version}, ${originWords(status.origin)}`],
      ['Published', `${ago(status.publishedAtMs, nowMs)} by ${printable(status.publishedBy)}`],
      ['Message', printable(status.message) || '-'],
      ['Content', status.contentHash.slice(0, briefHashLength)],
    );
  }
  lines.push(['Approval', status.approvalRequired ? 'a second administrator' : 'not needed']);
  if (candidate) {
    const hash = candidate.contentHash.slice(0, briefHashLength);
    const envoys = plural(candidate.counts.changedEnvoys, 'envoy');
    const author = printable(candidate.author);
    lines.push(['Candidate', `${hash} by ${author}, ${envoys}: ${printable(candidate.message)}`]);
  }
  if (freeze) {
    const by = `by ${printable(freeze.by)}: ${printable(freeze.reason)}`;
    lines.push(['Frozen', `${untilWords(freeze)} ${by}`]);
  }
  if (rollout) lines.push(['Rollout', stageWords(rollout)]);
  return fieldLines(lines);
}

export function originWords(origin: VersionOrigin): string {
  switch (origin.kind) {
    case 'publish':
      return 'published';
    case 'promote':
      return `promoted from ${printable(origin.from)} to ${printable(origin.to)}`;
    case 'rollback':
      return `rolled back to version ${origin.of}`;
    case 'automatic-rollback':
      return `rolled back by itself to version ${origin.of}`;
  }
}
