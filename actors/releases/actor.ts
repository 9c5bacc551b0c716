import type { Signer, Verifier } from '../../agent/protocol/crypto.ts';
import { type ReleaseManifest, SignedRelease } from '../../agent/protocol/gen/vigo/v1/release.ts';
import { releaseLimits } from '../../agent/protocol/limits.ts';
import { releaseProblem, signRelease } from '../../agent/protocol/release.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { ServerError } from '../errors.ts';
import { parseStage } from '../rollout/stages.ts';
import { sinkAddress } from '../sink/messages.ts';
import type {
  AddRelease,
  ReleaseList,
  ReleaseMessages,
  ReleaseOrder,
  ReleaseRolloutView,
  ReleaseView,
  RolloutOfRelease,
} from './messages.ts';
import type { MeasuredArtefact, ReleaseFiles } from './release-files.ts';
import { afterFailure, type ReleaseRollout, rolloutRow, rolloutView } from './rollout.ts';
import { keyLabel, ReleaseShelf, releaseView, rolledOut, type ShelvedRelease } from './shelf.ts';
import type { ReleaseRolloutTable } from './tables.ts';

const mailboxLimit = 1000;
const idleAfterMs = 86_400_000;
const sinkDeadlineMs = 15_000;
const rolloutFile = 'rollout.json';
/** Name of this server's own key among those that sign releases. */
const serverKey = 'server';
/** Globs of one rollout. */
const globLimit = 50;
/** Failures that a rollout can be told to bear. */
const failureLimit = 1000;

export interface ReleaseOptions {
  readonly files: ReleaseFiles;
  readonly table: ReleaseRolloutTable;
  /** Of the bundle key. */
  readonly signer: Signer;
  readonly verifier: Verifier;
  /** Keys that are kept elsewhere; when there are any, this server signs no release. */
  readonly publicKeys: readonly Uint8Array[];
}

interface ReleaseState {
  readonly shelf: ReleaseShelf;
  rollout: ReleaseRollout | undefined;
}

type ReleaseTurn = Turn<ReleaseState>;

/** Keeps releases of the agent and says which envoys are to run which. */
export function releasesKind(options: ReleaseOptions): ActorKind<ReleaseState, ReleaseMessages> {
  const order =
    (status: ReleaseRollout['status'], type: AuditEventTypeName) =>
    (turn: ReleaseTurn, given: ReleaseOrder) =>
      ordered(options, turn, status, type, given);
  return {
    name: 'releases',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => open(options),
    handlers: {
      upload: async (turn, part) => ({ bytes: await turn.state.shelf.upload(part) }),
      add: (turn, payload) => add(options, turn, payload),
      list: async (turn) => listOf(turn),
      remove: (turn, payload) => remove(turn, payload),
      rollout: (turn, payload) => rollOut(options, turn, payload),
      pause: order('paused', 'release.rollout_paused'),
      resume: order('running', 'release.rollout_resumed'),
      stop: order('stopped', 'release.rollout_stopped'),
      return: (turn, payload) => sendBack(options, turn, payload),
      recover: async (turn) => {
        show(options, turn);
        return undefined;
      },
      news: async (turn, { envoyId, version, code }) => {
        const { rollout } = turn.state;
        if (rollout?.version !== version) return undefined;
        const next = afterFailure(rollout, envoyId, code, turn.ports.clock.nowMs());
        if (next === rollout) return undefined;
        const paused = next.status !== rollout.status;
        if (paused) await audit(turn, 'release.rollout_paused', 'server', version, detailsOf(next));
        await keep(options, turn, next);
        return undefined;
      },
    },
  };
}

async function open({
  files,
  signer,
  verifier,
  publicKeys,
}: ReleaseOptions): Promise<ReleaseState> {
  const keys = new Map(publicKeys.map((key) => [keyLabel(key), key]));
  if (publicKeys.length === 0) keys.set(serverKey, signer.publicKey);
  const shelf = new ReleaseShelf(files, keys, verifier);
  await shelf.load();
  const stored = await files.read(rolloutFile);
  const rollout = stored === undefined ? undefined : parseRollout(stored);
  return { shelf, rollout };
}

/** An unreadable file is no rollout: nobody is updated by mistake. */
function parseRollout(stored: Uint8Array): ReleaseRollout | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(stored)) as ReleaseRollout;
    return typeof parsed.version === 'string' && Array.isArray(parsed.failed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

async function add(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  payload: AddRelease,
): Promise<ReleaseView> {
  const { shelf } = turn.state;
  const { version, platform, by } = payload;
  const measured = await shelf.measure(version, platform);
  const signed = payload.signed ?? sign(options, turn, payload, measured);
  const release = await shelf.put(signed, measured);
  const { manifest } = release;
  if (manifest.version !== version || manifest.platform !== platform) {
    const reason = `it is signed as ${manifest.version} for ${manifest.platform}`;
    throw new ServerError('RELEASE_MALFORMED', { reason });
  }
  const view = releaseView(release);
  await audit(turn, 'release.added', by, `${version} ${platform}`, {
    sha256: view.sha256,
    bytes: view.bytes,
    signedBy: view.signedBy,
    downgradeFrom: view.downgradeFrom.join(' '),
  });
  const { rollout } = turn.state;
  // Who failed at the former manifest may try this one.
  if (rollout?.version === version && rollout.status !== 'stopped')
    await keep(options, turn, {
      ...rollout,
      revision: rollout.revision + 1,
      failed: [],
      failures: 0,
    });
  return view;
}

function sign(
  { signer, publicKeys }: ReleaseOptions,
  turn: ReleaseTurn,
  given: Pick<
    AddRelease,
    'version' | 'platform' | 'minimumAgent' | 'downgradeFrom' | 'releaseKeys'
  >,
  measured: MeasuredArtefact,
): Uint8Array {
  if (publicKeys.length > 0) throw new ServerError('RELEASE_OFFLINE_KEY');
  const manifest: ReleaseManifest = {
    version: given.version,
    platform: given.platform,
    size: measured.size,
    sha256: Buffer.from(measured.sha256),
    downloadSize: measured.downloadSize,
    downloadSha256: Buffer.from(measured.downloadSha256),
    minimumAgent: given.minimumAgent,
    downgradeFrom: [...given.downgradeFrom],
    createdAtMs: turn.ports.clock.nowMs(),
    releaseKeys: given.releaseKeys.map((hex) => Buffer.from(hex, 'hex')),
  };
  const reason = releaseProblem(manifest);
  if (reason !== undefined) throw new ServerError('RELEASE_MALFORMED', { reason });
  const signature = Buffer.from(signRelease(manifest, signer));
  return SignedRelease.encode({ manifest, signature }).finish();
}

async function remove(
  turn: ReleaseTurn,
  { version, platform, by }: ReleaseMessages['remove']['payload'],
): Promise<ReleaseList> {
  const { shelf, rollout } = turn.state;
  const found = shelf
    .ofVersion(version)
    .filter(({ manifest }) => platform === undefined || manifest.platform === platform);
  if (found.length === 0) throw notFound(version, platform);
  if (rollout?.version === version && rollout.status !== 'stopped')
    throw new ServerError('RELEASE_IN_USE', { version });
  for (const release of found) {
    await audit(turn, 'release.removed', by, `${version} ${release.manifest.platform}`, {});
    await shelf.remove(release);
  }
  return listOf(turn);
}

async function rollOut(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  given: RolloutOfRelease,
): Promise<ReleaseRolloutView> {
  const { shelf, rollout } = turn.state;
  const reason = rolloutProblem(given);
  if (reason !== undefined) throw new ServerError('RELEASE_MALFORMED', { reason });
  if (shelf.ofVersion(given.version).length === 0) throw notFound(given.version, undefined);
  const again = rollout?.version === given.version && rollout.from.length === 0;
  return await begin(
    options,
    turn,
    given,
    again ? 'release.rollout_changed' : 'release.rollout_started',
    [],
  );
}

async function sendBack(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  { from, to, by, reason }: ReleaseMessages['return']['payload'],
): Promise<ReleaseRolloutView> {
  const { shelf } = turn.state;
  const releases = shelf.ofVersion(to);
  if (releases.length === 0) throw notFound(to, undefined);
  for (const { manifest } of releases) {
    if (manifest.downgradeFrom.includes(from)) continue;
    const { version, platform, minimumAgent } = manifest;
    const downgradeFrom = [...manifest.downgradeFrom, from].slice(-releaseLimits.listEntries);
    const step = { version, platform, minimumAgent, downgradeFrom, releaseKeys: [] };
    await shelf.put(sign(options, turn, step, manifest), manifest);
  }
  const everybody = { version: to, percent: 100, match: [], by, reason };
  const trial = { trialCheckIns: 3, trialSeconds: 300, maxFailures: failureLimit };
  return await begin(options, turn, { ...everybody, ...trial }, 'release.rollout_returned', [from]);
}

async function begin(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  {
    by,
    reason,
    version,
    percent,
    match,
    trialCheckIns,
    trialSeconds,
    maxFailures,
  }: RolloutOfRelease,
  type: AuditEventTypeName,
  from: readonly string[],
): Promise<ReleaseRolloutView> {
  const { clock } = turn.ports;
  const rollout: ReleaseRollout = {
    version,
    // Above every earlier one, also when the file of the former rollout was lost.
    revision: Math.max((turn.state.rollout?.revision ?? 0) + 1, clock.nowMs()),
    status: 'running',
    percent,
    match,
    from,
    trialCheckIns,
    trialSeconds,
    maxFailures,
    failures: 0,
    failed: [],
    changedAtMs: clock.nowMs(),
    changedBy: by,
    reason,
  };
  await audit(turn, type, by, version, detailsOf(rollout));
  await keep(options, turn, rollout);
  return rolloutView(rollout);
}

async function ordered(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  status: ReleaseRollout['status'],
  type: AuditEventTypeName,
  { by, reason }: ReleaseOrder,
): Promise<ReleaseRolloutView> {
  const { rollout } = turn.state;
  if (rollout === undefined || rollout.status === 'stopped')
    throw new ServerError('RELEASE_NO_ROLLOUT');
  const next: ReleaseRollout = {
    ...rollout,
    status,
    revision: rollout.revision + 1,
    ...(status === 'running' ? { failed: [], failures: 0 } : {}),
    changedAtMs: turn.ports.clock.nowMs(),
    changedBy: by,
    reason,
  };
  await audit(turn, type, by, next.version, detailsOf(next));
  await keep(options, turn, next);
  return rolloutView(next);
}

async function keep(
  options: ReleaseOptions,
  turn: ReleaseTurn,
  rollout: ReleaseRollout,
): Promise<void> {
  const text = `${JSON.stringify(rollout)}\n`;
  await options.files.write(rolloutFile, new TextEncoder().encode(text));
  turn.state.rollout = rollout;
  show(options, turn);
}

/** For the shards. */
function show({ table }: ReleaseOptions, turn: ReleaseTurn): void {
  const { rollout, shelf } = turn.state;
  const row = rollout && rolloutRow(rollout, shelf.ofVersion(rollout.version).map(rolledOut));
  if (row === undefined) turn.remove(table, 'current');
  else turn.put(table, 'current', row);
}

function listOf({ state: { shelf, rollout } }: ReleaseTurn): ReleaseList {
  const newest = (a: ShelvedRelease, b: ShelvedRelease) =>
    b.manifest.createdAtMs - a.manifest.createdAtMs;
  const items = [...shelf.all].sort(newest).map(releaseView);
  return { items, rollout: rollout && rolloutView(rollout) };
}

function rolloutProblem(given: RolloutOfRelease): string | undefined {
  const { percent, match, trialCheckIns, trialSeconds, maxFailures } = given;
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!(percent >= 0 && percent <= 100)) return 'a percentage is from 0 to 100';
  if (percent === 0 && match.length === 0) return 'it reaches nobody';
  const bad = match.find((glob) => parseStage(glob) === undefined || glob.includes('%'));
  if (bad !== undefined || match.length > globLimit) return `"${bad ?? 'the list'}" is no glob`;
  if (!whole(trialCheckIns, 1, releaseLimits.trialCheckIns))
    return 'a trial has 1 to 100 check-ins';
  if (!whole(trialSeconds, 1, releaseLimits.trialSeconds)) return 'a trial lasts 1 s to 24 h';
  return whole(maxFailures, 0, failureLimit) ? undefined : `0 to ${failureLimit} may fail`;
}

function notFound(version: string, platform: string | undefined): ServerError {
  const rest = platform === undefined ? '' : ` for ${platform}`;
  return new ServerError('RELEASE_NOT_FOUND', { version, platform: rest });
}

function detailsOf(rollout: ReleaseRollout): AuditEvent['details'] {
  const { percent, match, from, status, failures, reason, revision } = rollout;
  return {
    percent,
    match: match.join(' '),
    from: from.join(' '),
    status,
    failures,
    reason,
    revision,
  };
}

async function audit(
  turn: ReleaseTurn,
  type: AuditEventTypeName,
  actor: string,
  subject: string,
  details: AuditEvent['details'],
): Promise<void> {
  const event = newAuditEvent(turn, type, actor, subject, details);
  await turn.ask(sinkAddress(), 'write', { records: [], audit: [event] }, sinkDeadlineMs);
}
