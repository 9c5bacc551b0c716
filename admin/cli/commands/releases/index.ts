import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import type { ReleaseList, ReleaseView } from '../../../../actors/releases/messages.ts';
import { releasePartLimit } from '../../../../agent/protocol/limits.ts';
import { examples } from '../../examples.ts';
import type { OpenSession, Session } from '../../session.ts';
import type { Column } from '../../table.ts';
import { ago, clockTime, fieldLines, sizeWords } from '../../words.ts';
import { readable, withGzip } from './artefact.ts';
import { type ReleaseFlags, releaseFlags } from './flags.ts';
import { addRolloutCommands, type ReleasesAnswer, rolloutWords } from './rollout.ts';
import { addSignCommands } from './sign.ts';

const base = '/api/v1/releases';
const addTimeoutMs = 150_000;
const shownHash = 16;

const columns: readonly Column<ReleaseView>[] = [
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'PLATFORM', value: ({ platform }) => platform },
  { title: 'SIZE', value: ({ downloadBytes }) => sizeWords(downloadBytes), align: 'right' },
  { title: 'ADDED', value: ({ createdAtMs }) => ago(createdAtMs, Date.now()) },
  { title: 'SIGNED BY', value: ({ signedBy }) => signedBy },
  {
    title: 'SHA-256',
    value: ({ sha256 }) => sha256,
    brief: ({ sha256 }) => sha256.slice(0, shownHash),
    optional: true,
  },
];

export function addReleaseCommands(program: Command, open: OpenSession): void {
  const releases = program
    .command('releases')
    .description('versions of the agent, and who runs which');
  addAddCommand(releases, open);
  addSignCommands(releases, open);

  releases
    .command('list')
    .description('list releases, newest first')
    .action(async () => {
      const it = await open();
      const page = await it.client.get<ReleasesAnswer>(base);
      it.list(page, columns, 'No releases. Add one: vigocli releases add vigo --release 0.2.0');
      if (page.rollout) it.note(rolloutWords(page.rollout));
    });

  releases
    .command('show <version>')
    .description('show a release on every platform')
    .action(async (version: string) => {
      const it = await open();
      const release = await it.client.get<ReleaseList>(`${base}/${encodeURIComponent(version)}`);
      it.print(release, () =>
        [
          ...release.items.map(describe),
          ...(release.rollout ? [rolloutWords(release.rollout)] : []),
        ].join('\n\n'),
      );
    });

  releases
    .command('remove <version>')
    .description('remove a release that is not being rolled out')
    .option('--platform <platform>', 'only this one')
    .action(async (version: string, { platform }: { platform?: string }) => {
      const it = await open();
      const query = platform === undefined ? '' : `?platform=${encodeURIComponent(platform)}`;
      const left = await it.client.delete(`${base}/${encodeURIComponent(version)}${query}`);
      it.print(left, () => `Release ${version} is removed; who runs it keeps it.`);
    });

  addRolloutCommands(releases, open);
}

function addAddCommand(releases: Command, open: OpenSession): void {
  const add = releases
    .command('add <file>')
    .description('send a program of the agent to the server and make it a release')
    .option('--manifest <file>', 'signed elsewhere: what vigocli releases sign wrote');
  releaseFlags(add).action(async (file: string, flags: ReleaseFlags & { manifest?: string }) => {
    const it = await open();
    const { platform, minimumAgent, downgradeFrom, releaseKey, manifest } = flags;
    const version = flags.release;
    const signed = manifest === undefined ? undefined : readable(() => readFileSync(manifest));
    await withGzip(file, (path) => upload(it, path, version, platform));
    const body = {
      version,
      platform,
      minimumAgent,
      downgradeFrom,
      releaseKeys: releaseKey,
      signed: signed?.toString('base64'),
    };
    const view = await it.client.post<ReleaseView>(base, body, addTimeoutMs);
    it.print(
      view,
      () => `${describe(view)}\n\nNext: vigocli releases rollout ${version} --match "canary-*"`,
    );
  });
  examples(add, [
    'vigocli releases add vigo --release 0.2.0 --platform linux-x64',
    'vigocli releases add vigo-0.2.0-linux-x64.gz --release 0.2.0 --platform linux-x64 \\\n' +
      '      --manifest vigo-0.2.0-linux-x64.release',
  ]);
}

async function upload(it: Session, path: string, version: string, platform: string): Promise<void> {
  const total = statSync(path).size;
  const part = Buffer.alloc(releasePartLimit);
  const file = openSync(path, 'r');
  try {
    for (let offset = 0; offset < total; ) {
      const length = readSync(file, part, 0, part.length, offset);
      const data = part.subarray(0, length).toString('base64');
      await it.client.post(`${base}/upload`, { version, platform, offset, data });
      offset += length;
    }
  } finally {
    closeSync(file);
  }
}

function describe(view: ReleaseView): string {
  const { minimumAgent, downgradeFrom } = view;
  return fieldLines([
    ['Release', `${view.version} for ${view.platform}`],
    ['Size', `${sizeWords(view.bytes)}, ${sizeWords(view.downloadBytes)} to fetch`],
    ['SHA-256', view.sha256],
    ['Added', clockTime(view.createdAtMs)],
    ['Signed by', view.signedBy],
    ...(minimumAgent === '' ? [] : [['Needs', `agent ${minimumAgent}`] as const]),
    ...(downgradeFrom.length === 0 ? [] : [['Replaces', downgradeFrom.join(', ')] as const]),
  ]);
}
