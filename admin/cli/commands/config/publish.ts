import { type Command, Option } from 'commander';
import type { PublishResult } from '../../../../actors/publish/messages.ts';
import type { RolloutRequest } from '../../../../actors/rollout/messages.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { OpenSession, Session } from '../../session.ts';
import { parseDuration, plural } from '../../words.ts';
import { followRollout, rolloutExitCode } from './follow-rollout.ts';
import { stageWords } from './rollout-text.ts';
import {
  briefHashLength,
  extent,
  offlineOption,
  parseShare,
  parseVersion,
  printDiagnostics,
  publishTimeoutMs,
  showingDiagnostics,
  stackFiles,
  stackOption,
} from './shared.ts';

interface PublishOptions {
  readonly message: string;
  readonly stack?: string;
  readonly offline?: boolean;
  readonly stages?: string[];
  readonly observe?: string;
  readonly threshold?: string;
  readonly leastConverged?: string;
  readonly onFailure?: 'rollback' | 'pause';
  readonly expectVersion?: string;
  readonly contentHash?: string;
  readonly plan?: string;
  readonly wait?: boolean;
}

export function addPublishCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('publish')
    .description(
      'check the stack, compile it and make it the policy of the fleet, or change nothing',
    )
    .option('-m, --message <text>', 'why, for the history', '')
    .addOption(stackOption())
    .addOption(offlineOption())
    .option('--stages <share-or-globs...>', 'roll out in stages: 5%, 25% or host globs "canary-*"')
    .option('--observe <duration>', 'how long each stage is watched, e.g. 10m')
    .option('--threshold <share>', 'share of reached envoys that may fail, e.g. 5%')
    .option('--least-converged <share>', 'share of the connected fleet that must be converged')
    .addOption(
      new Option('--on-failure <what>', 'what happens above the threshold').choices([
        'rollback',
        'pause',
      ]),
    )
    .option('--expect-version <number>', 'refuse when another version is live')
    .option('--content-hash <hash>', 'refuse when the stack is not the one that was looked at')
    .option('--plan <id>', 'the plan that was looked at; the outcome is compared with it')
    .option('--wait', 'follow the rollout to its end')
    .action(async (options: PublishOptions) => publish(await open(), options));
  examples(command, [
    'vigocli config publish -m "raise worker count"',
    'vigocli config publish -m "new kernel" --stages "canary-*" 25% --observe 10m --wait',
    'vigocli config publish -m "from the checkout" --stack ./my-stack',
  ]);
}

/** Undefined when nothing is said: then server.yaml decides. */
function rolloutOf(options: PublishOptions): RolloutRequest | undefined {
  const { stages, observe, threshold, leastConverged, onFailure } = options;
  const request: RolloutRequest = {
    ...(stages === undefined ? {} : { stages }),
    ...(observe === undefined ? {} : { observeMs: parseDuration(observe) }),
    ...(threshold === undefined ? {} : { threshold: parseShare(threshold) }),
    ...(leastConverged === undefined ? {} : { leastConverged: parseShare(leastConverged) }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
  return Object.keys(request).length === 0 ? undefined : request;
}

async function publish(it: Session, options: PublishOptions): Promise<void> {
  const { message, stack, offline, expectVersion, contentHash, plan, wait } = options;
  const rollout = rolloutOf(options);
  const body = {
    message,
    ...stackFiles(stack),
    ...(offline === undefined ? {} : { offline }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(expectVersion === undefined ? {} : { expectedVersion: parseVersion(expectVersion) }),
    ...(contentHash === undefined ? {} : { contentHash }),
    ...(plan === undefined ? {} : { planId: plan }),
  };
  const result = await showingDiagnostics(it, () =>
    it.client.post<PublishResult>('/api/v1/config/publish', body, publishTimeoutMs),
  );
  printDiagnostics(it, result.diagnostics);
  await tellPublished(it, result, wait === true);
}

/** Also of an approval and a rollback. A candidate is a change that is pending. */
export async function tellPublished(
  it: Session,
  result: PublishResult,
  wait: boolean,
): Promise<void> {
  if (result.candidate) process.exitCode = exitCodes.changesPending;
  if (!wait || !result.changed) {
    it.print(result, () => publishedWords(result));
    return;
  }
  it.note(publishedWords(result));
  const end = await followRollout(it, result.version);
  if (end) process.exitCode = rolloutExitCode(end);
  it.print(end ? { ...result, rollout: end } : result, () =>
    end ? stageWords(end) : `Version ${result.version} is in force for every envoy.`,
  );
}

function publishedWords(result: PublishResult): string {
  const { candidate, version, changed, changedEnvoys, totalEnvoys, rollout } = result;
  if (candidate) {
    const hash = candidate.contentHash.slice(0, briefHashLength);
    return (
      `Waits for a second administrator: ${extent(result)}. Version ${version} stays until then.\n` +
      `They approve it with: vigocli config approve ${hash}`
    );
  }
  if (!changed) return `Nothing changed: version ${version} has these files already.`;
  const words =
    `Published version ${version}: ${extent(result)}; ` +
    `${plural(changedEnvoys, 'envoy')} of ${totalEnvoys} will change policy.`;
  return rollout ? `${words}\n${stageWords(rollout)}` : words;
}
