import { AgentError, type AgentErrorCode } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { IncidentLog } from '../incident-log.ts';
import type { Logger } from '../log.ts';
import type { StateFiles } from '../offline/state-files.ts';
import type { AgentClock } from '../platform/platform.ts';
import { toHex } from '../protocol/bytes.ts';
import type { Verifier } from '../protocol/crypto.ts';
import type { AgentUpdate, SignedUpdate } from '../protocol/gen/vigo/v1/release.ts';
import { releaseDigest, type VerifiedUpdate, verifyUpdate } from '../protocol/release.ts';
import type { TraceContext } from '../protocol/traceparent.ts';
import type { ServerClient } from '../server-client.ts';
import { ServerRefusal } from '../transport.ts';
import {
  downloadPrefix,
  fetchRelease,
  installRelease,
  isInstalled,
  selfCheck,
  unpackedPrefix,
} from './fetch-release.ts';
import { type ProgramFiles, programName, trialName } from './program-files.ts';
import { type TrialCause, trialFiles, trialScript } from './trial-script.ts';
import { defaultCheckIns, defaultTrialSeconds, freshState, UpdateRecord } from './update-record.ts';
import type { UpdateState } from './update-state.ts';

/** Times that one release is tried while nothing says that it is bad. */
export const trialLimit = 3;
/** How long one cycle of the agent fetches, before the next check-in and pass. */
const fetchBudgetMs = 20_000;
/** A new version on trial checks in at least so often. */
const trialPaceMs = 10_000;
/** After trouble with disk or network that may pass. */
const retryMs = 60_000;
const scriptMode = 0o755;
const noteMode = 0o644;

export interface UpdaterParts {
  readonly programs: ProgramFiles;
  readonly files: StateFiles;
  readonly identity: Pick<Identity, 'envoyId' | 'bundlePublicKey' | 'releasePublicKeys'>;
  readonly verifier: Verifier;
  readonly client: Pick<ServerClient, 'call'>;
  readonly incidents: Pick<IncidentLog, 'add'>;
  readonly clock: Pick<AgentClock, 'nowMs' | 'monotonicMs'>;
  readonly log: Logger;
  readonly agentVersion: string;
  readonly platform: string;
  /** Arguments of the new version's self-check: this node's directories. */
  readonly selfCheckArguments: readonly string[];
}

const causeCodes: Readonly<Record<TrialCause, AgentErrorCode>> = {
  'no-start': 'AGENT_UPDATE_NO_START',
  ended: 'AGENT_UPDATE_ENDED',
  'no-check-in': 'AGENT_UPDATE_NO_CHECK_IN',
  interrupted: 'AGENT_UPDATE_INTERRUPTED',
};

/**
 * The agent's update of itself. One object plays both parts: in the old version it fetches, verifies,
 * installs and starts the trial; in the new one it counts check-ins and ends the trial. What happens in
 * between, and when the new version is no good, the trial's own script decides (trial-script.ts).
 */
export class Updater {
  readonly #parts: UpdaterParts;
  readonly #record: UpdateRecord;
  /** Ordered, verified, not begun or not finished. */
  #order: VerifiedUpdate | undefined;
  /** This program runs from an installed layout, so that somebody would start another version. */
  #supported = false;
  #unfinished: (() => Promise<void>) | undefined;
  #onTrial = false;
  #checkIns = 0;
  /** A check-in of this process has failed before any succeeded. */
  #failedFirst = false;
  #notBeforeMs = 0;

  private constructor(parts: UpdaterParts, record: UpdateRecord) {
    this.#parts = parts;
    this.#record = record;
  }

  /** Finishes what a former process began; trouble is an incident, and is tried again later. */
  static async open(parts: UpdaterParts): Promise<Updater> {
    const updater = new Updater(parts, await UpdateRecord.open(parts.files, parts.clock));
    updater.#unfinished = () => updater.#resume();
    await updater.#finish().catch((error) => parts.incidents.add(error));
    return updater;
  }

  async #finish(): Promise<void> {
    await this.#unfinished?.();
    this.#unfinished = undefined;
  }

  async #resume(): Promise<void> {
    const { programs, agentVersion } = this.#parts;
    const current = await programs.current();
    if (current === trialName) return await this.#resumeTrial();
    this.#supported = current === agentVersion;
    if (!this.#supported) return;
    const { state: update } = this.#record;
    if (update?.phase === 'trial') await this.#resumeAfterLink(update);
    if (update?.code === 'AGENT_UPDATE_UNSUPPORTED') await this.#record.forget();
    await this.#tidy();
  }

  /** For the body of a check-in; undefined = nothing to tell. */
  news(): AgentUpdate | undefined {
    return this.#record.news();
  }

  /** The longest wait between two check-ins that a trial allows. */
  get paceLimitMs(): number | undefined {
    if (!this.#onTrial) return undefined;
    const { seconds, checkIns } = this.#record.state ?? {};
    const share = ((seconds ?? defaultTrialSeconds) * 1000) / ((checkIns ?? defaultCheckIns) + 2);
    return Math.max(1000, Math.min(trialPaceMs, share));
  }

  /** The server answered a check-in that told `told`. Trouble becomes an incident. */
  async answered(order: SignedUpdate | undefined, told: AgentUpdate | undefined): Promise<void> {
    try {
      await this.#finish();
      if (told !== undefined && told.atMs === this.#record.state?.atMs)
        await this.#record.change({ told: true });
      if (this.#onTrial) await this.#count();
      else if (this.#record.state?.phase === 'undecided') await this.#decide();
      else await this.#take(order);
    } catch (error) {
      this.#parts.incidents.add(error);
    }
  }

  /** A check-in failed. */
  async unanswered(): Promise<void> {
    this.#failedFirst = true;
    const { state: update } = this.#record;
    if (update?.phase !== 'undecided' || update.awayToo) return;
    await this.#record.change({ awayToo: true }).catch((error) => this.#parts.incidents.add(error));
  }

  /** Goes on with what was ordered. True: end this process, `current` names another version. */
  async work(trace: TraceContext): Promise<boolean> {
    const order = this.#order;
    const { clock, programs, incidents } = this.#parts;
    if (order === undefined || clock.monotonicMs() < this.#notBeforeMs) return false;
    try {
      if (!(await this.#installed(order, trace))) return false;
      await selfCheck(programs, order.manifest.version, this.#parts.selfCheckArguments);
      await this.#startTrial(order);
      return true;
    } catch (error) {
      if (await this.#mayPass(error)) return false;
      incidents.add(error);
      this.#order = undefined;
      await this.#end('failed', error).catch((failure) => incidents.add(failure));
      return false;
    }
  }

  async #installed(order: VerifiedUpdate, trace: TraceContext): Promise<boolean> {
    const { manifest } = order;
    const { programs } = this.#parts;
    if (await isInstalled(programs, manifest)) return true;
    if (this.#record.state?.phase !== 'fetching') await this.#begin(order, 'fetching');
    const fetching = { ...this.#parts, files: programs };
    if (!(await fetchRelease(fetching, manifest, trace, fetchBudgetMs))) return false;
    await installRelease(programs, manifest);
    return true;
  }

  /** The trial begins with the last line: until then nothing but the old version is ever started. */
  async #startTrial(order: VerifiedUpdate): Promise<void> {
    const { programs, agentVersion, log } = this.#parts;
    const { version } = order.manifest;
    const trial = {
      directory: programs.directory,
      from: agentVersion,
      to: version,
      seconds: order.order.trialSeconds,
    };
    const fresh = `${unpackedPrefix}${trialName}`;
    await programs.remove(fresh);
    await programs.write(`${fresh}/versions`, `${agentVersion} ${version}\n`, noteMode);
    await programs.write(`${fresh}/${programName}`, trialScript(trial), scriptMode);
    await programs.remove(trialName);
    await programs.rename(fresh, trialName);
    await this.#begin(order, 'trial');
    log.log('info', 'the new version goes on trial', { from: agentVersion, to: version });
    await programs.pointTo(trialName);
  }

  /** Trouble of disk and network may pass: the order stands. */
  async #mayPass(error: unknown): Promise<boolean> {
    const { clock, incidents, log } = this.#parts;
    const later = (ms: number): true => {
      this.#notBeforeMs = clock.monotonicMs() + ms;
      return true;
    };
    if (error instanceof ServerRefusal) {
      log.log('debug', 'the artefact is not to be had now', { code: error.serverCode });
      return later(error.retryAfterMs || retryMs);
    }
    if (!(error instanceof AgentError)) return false;
    if (error.code === 'AGENT_UPDATE_DISK' || error.code === 'AGENT_STATE_WRITE') {
      incidents.add(error);
      return later(retryMs);
    }
    return error.code.startsWith('AGENT_SERVER_') ? later(retryMs) : false;
  }

  async #take(update: SignedUpdate | undefined): Promise<void> {
    if (update === undefined) {
      this.#order = undefined;
      return;
    }
    const { identity, verifier, clock, platform, agentVersion, incidents } = this.#parts;
    const expected = {
      envoyId: identity.envoyId,
      publicKey: identity.bundlePublicKey,
      releaseKeys: this.#record.releaseKeys(identity),
      platform,
      agentVersion,
      nowMs: clock.nowMs(),
    };
    const own = update.releases.find(({ manifest }) => manifest?.platform === platform)?.manifest;
    const digest = own === undefined ? '' : toHex(releaseDigest(own, verifier));
    const version = update.order?.version ?? '';
    if (version === agentVersion) return;
    // The server asks again, so it has forgotten the answer.
    if (this.#record.isOver(version, digest))
      return await this.#record.change({ told: false, atMs: this.#record.nowMs() });
    try {
      const verified = verifyUpdate(update, expected, verifier);
      if (!this.#supported) throw new AgentError('AGENT_UPDATE_UNSUPPORTED');
      this.#order = verified;
    } catch (error) {
      this.#order = undefined;
      incidents.add(error);
      // An order that is not the server's word changes nothing, also not what is told.
      if (error instanceof AgentError && !error.code.startsWith('PROTOCOL_UPDATE_'))
        await this.#record.save({
          ...freshState(version, digest),
          ...this.#record.failure('failed', error),
        });
    }
  }

  /** What a process finds that was started during a trial. */
  async #resumeTrial(): Promise<void> {
    const { programs, agentVersion } = this.#parts;
    const [from, to] = ((await programs.read(trialFiles.versions)) ?? '').trim().split(' ');
    const cause = await programs.read(trialFiles.cause);
    const accepted = (await programs.read(trialFiles.accepted)) !== undefined;
    this.#supported = agentVersion === to || (agentVersion === from && cause !== undefined);
    if (agentVersion === to) {
      this.#onTrial = !accepted && cause === undefined;
      if (accepted) await this.#accept();
    } else if (agentVersion === from && cause !== undefined) {
      await this.#cameBack(cause.trim(), to ?? '');
      await programs.pointTo(from);
      await this.#tidy();
    }
  }

  /** `current` names this version although a trial is remembered: a power loss was between the two. */
  async #resumeAfterLink(update: UpdateState): Promise<void> {
    const { programs, agentVersion } = this.#parts;
    if (update.version === agentVersion) return await this.#record.change(this.#record.accepted());
    const cause = (await programs.read(trialFiles.cause)) ?? 'interrupted before it began';
    await this.#cameBack(cause.trim(), update.version);
  }

  async #count(): Promise<void> {
    this.#checkIns += 1;
    if (this.#checkIns < (this.#record.state?.checkIns ?? defaultCheckIns)) return;
    // From here on the script lets the new version be.
    await this.#parts.programs.write(trialFiles.accepted, '', noteMode);
    this.#onTrial = false;
    this.#unfinished = () => this.#accept();
    await this.#finish();
  }

  async #accept(): Promise<void> {
    const { programs, agentVersion, log } = this.#parts;
    const { state: update } = this.#record;
    if (update?.phase !== 'accepted') {
      await this.#record.save({
        ...(update ?? freshState(agentVersion, '')),
        ...this.#record.accepted(),
      });
    }
    await programs.pointTo(agentVersion);
    log.log('info', 'the new version has proved itself', { version: agentVersion });
  }

  /** In the old version, after the script gave the new one up. */
  async #cameBack(cause: string, to: string): Promise<void> {
    const { state: update } = this.#record;
    // Told apart from a repetition of this step, which a power loss may cause.
    if (update?.phase !== 'trial' && update !== undefined) return;
    const [word] = cause.split(' ');
    const code = causeCodes[word as TrialCause] ?? 'AGENT_UPDATE_INTERRUPTED';
    const error = new AgentError(code, cause);
    this.#parts.incidents.add(error);
    const before = update ?? freshState(to, '');
    const failure = this.#record.failure('returned', error);
    const phase =
      code === 'AGENT_UPDATE_NO_CHECK_IN'
        ? 'undecided'
        : code === 'AGENT_UPDATE_INTERRUPTED'
          ? this.#again(before)
          : 'returned';
    await this.#record.save({ ...before, ...failure, phase, awayToo: false });
  }

  /**
   * The new version said nothing, the old one was just answered. When its very first attempt was, the
   * server was there, and the new version is to blame; otherwise nobody could have checked in.
   */
  async #decide(): Promise<void> {
    const { state: update } = this.#record;
    if (update === undefined) return;
    const away = update.awayToo || this.#failedFirst;
    const phase = away ? this.#again(update) : 'returned';
    const exhausted = away && phase === 'returned';
    await this.#record.change({
      ...(exhausted
        ? this.#record.failure('returned', new AgentError('AGENT_UPDATE_TRIALS', update.message))
        : {}),
      phase,
      atMs: this.#record.nowMs(),
      told: false,
    });
  }

  #again({ trials }: UpdateState): 'postponed' | 'returned' {
    return trials < trialLimit ? 'postponed' : 'returned';
  }

  #begin({ order, manifest }: VerifiedUpdate, phase: 'fetching' | 'trial'): Promise<void> {
    const { agentVersion, verifier } = this.#parts;
    const { state: update } = this.#record;
    const digest = toHex(releaseDigest(manifest, verifier));
    const trials = update?.digest === digest ? update.trials : 0;
    return this.#record.save({
      ...freshState(manifest.version, digest),
      phase,
      atMs: this.#record.nowMs(),
      trials: phase === 'trial' ? trials + 1 : trials,
      checkIns: order.trialCheckIns,
      seconds: order.trialSeconds,
      from: agentVersion,
      nextKeys: manifest.releaseKeys.map(toHex),
    });
  }

  #end(phase: 'failed', error: unknown): Promise<void> {
    return this.#record.change(this.#record.failure(phase, error));
  }

  /** Removes what no trial needs any more: no script is at work when a version starts by its own link. */
  async #tidy(): Promise<void> {
    const { programs, agentVersion, incidents } = this.#parts;
    const { state: update } = this.#record;
    // The version before stays for whoever wants it back by hand; one that failed is of no use.
    const again =
      update !== undefined && ['trial', 'undecided', 'postponed'].includes(update.phase);
    const kept = new Set([agentVersion, update?.from, ...(again ? [update.version] : [])]);
    try {
      for (const name of await programs.list()) {
        const partial = name.startsWith(downloadPrefix) && update?.phase !== 'fetching';
        const old = /^\d/.test(name) && !kept.has(name);
        if (partial || old || name.startsWith(unpackedPrefix) || name === trialName)
          await programs.remove(name);
      }
    } catch (error) {
      incidents.add(error);
    }
  }
}
