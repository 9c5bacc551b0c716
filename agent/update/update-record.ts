import { AgentError } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { StateFiles } from '../offline/state-files.ts';
import type { AgentClock } from '../platform/platform.ts';
import { fromHex } from '../protocol/bytes.ts';
import { type AgentUpdate, UpdatePhase } from '../protocol/gen/vigo/v1/release.ts';
import {
  loadUpdateMemory,
  saveUpdateMemory,
  type UpdateMemory,
  type UpdateState,
} from './update-state.ts';

export const defaultCheckIns = 3;
export const defaultTrialSeconds = 300;
const messageLimit = 1000;

const wirePhase: Readonly<Record<Exclude<UpdateState['phase'], 'undecided'>, UpdatePhase>> = {
  fetching: UpdatePhase.UPDATE_PHASE_FETCHING,
  trial: UpdatePhase.UPDATE_PHASE_TRIAL,
  accepted: UpdatePhase.UPDATE_PHASE_ACCEPTED,
  failed: UpdatePhase.UPDATE_PHASE_FAILED,
  returned: UpdatePhase.UPDATE_PHASE_RETURNED,
  postponed: UpdatePhase.UPDATE_PHASE_POSTPONED,
};

/** How far the last ordered update came: kept over restarts, and told to the server. */
export class UpdateRecord {
  readonly #files: StateFiles;
  readonly #clock: Pick<AgentClock, 'nowMs'>;
  #memory: UpdateMemory;

  private constructor(files: StateFiles, clock: Pick<AgentClock, 'nowMs'>, memory: UpdateMemory) {
    this.#files = files;
    this.#clock = clock;
    this.#memory = memory;
  }

  static async open(files: StateFiles, clock: Pick<AgentClock, 'nowMs'>): Promise<UpdateRecord> {
    return new UpdateRecord(files, clock, await loadUpdateMemory(files));
  }

  get state(): UpdateState | undefined {
    return this.#memory.update;
  }

  /** For the body of a check-in; undefined = nothing to tell. */
  news(): AgentUpdate | undefined {
    const { update } = this.#memory;
    if (update === undefined || update.told || update.phase === 'undecided') return undefined;
    return {
      version: update.version,
      releaseDigest: fromHex(update.digest) ?? new Uint8Array(0),
      phase: wirePhase[update.phase],
      code: update.code,
      message: update.message,
      atMs: update.atMs,
    };
  }

  /** Those of the last accepted release; those of the registration before. */
  releaseKeys({
    releasePublicKeys,
    bundlePublicKey,
  }: Pick<Identity, 'bundlePublicKey' | 'releasePublicKeys'>): readonly Uint8Array[] {
    const later = this.#memory.releaseKeys?.map((text) => fromHex(text) ?? new Uint8Array(0));
    if (later !== undefined && later.length > 0) return later;
    return releasePublicKeys.length > 0 ? releasePublicKeys : [bundlePublicKey];
  }

  /** Whether this release was tried and is of no use. */
  isOver(version: string, digest: string): boolean {
    const { update } = this.#memory;
    if (update?.version !== version || update.digest !== digest) return false;
    return update.phase === 'failed' || update.phase === 'returned';
  }

  /** Two phases within a millisecond are still two. */
  nowMs(): number {
    return Math.max(this.#clock.nowMs(), (this.#memory.update?.atMs ?? 0) + 1);
  }

  /** What is to be told of a failure. */
  failure(phase: 'failed' | 'returned', error: unknown) {
    const code = error instanceof AgentError ? error.code : 'AGENT_INTERNAL';
    const message = (error instanceof Error ? error.message : String(error)).slice(0, messageLimit);
    return { phase, code, message, atMs: this.nowMs(), told: false };
  }

  accepted() {
    return {
      phase: 'accepted',
      code: '',
      message: '',
      atMs: this.nowMs(),
      told: false,
    } as const;
  }

  async save(update: UpdateState): Promise<void> {
    const { nextKeys, phase } = update;
    const pinned = phase === 'accepted' && nextKeys.length > 0 ? { releaseKeys: nextKeys } : {};
    await this.#store({ ...this.#memory, ...pinned, update });
  }

  /** Nothing when there is no update to change. */
  async change(change: Partial<UpdateState>): Promise<void> {
    const { update } = this.#memory;
    if (update !== undefined) await this.save({ ...update, ...change });
  }

  async forget(): Promise<void> {
    const { update: _forgotten, ...kept } = this.#memory;
    await this.#store(kept);
  }

  async #store(memory: UpdateMemory): Promise<void> {
    await saveUpdateMemory(this.#files, memory);
    this.#memory = memory;
  }
}

export function freshState(version: string, digest: string): UpdateState {
  return {
    version,
    digest,
    phase: 'fetching',
    code: '',
    message: '',
    atMs: 0,
    told: false,
    trials: 0,
    checkIns: defaultCheckIns,
    seconds: defaultTrialSeconds,
    from: '',
    awayToo: false,
    nextKeys: [],
  };
}
