import type { IncidentLog } from './incident-log.ts';
import { type LastRun, loadRunState, type RunState, saveRunState } from './offline/run-state.ts';
import type { StateFiles } from './offline/state-files.ts';

/** What only tells that time went by (last contact, last pass) is written at least so often. */
export const memoryRefreshMs = 3_600_000;

/**
 * The run state with its place on disk. A disk that refuses it costs an incident, not the pass. A
 * pass that brought no news writes nothing: what it would tell is asked of the running agent.
 */
export class Memory {
  readonly #files: StateFiles;
  readonly #incidents: IncidentLog;
  readonly #nowMs: () => number;
  #state: RunState;
  /** The disk does not have what is known here. */
  #news = false;
  #savedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    files: StateFiles,
    incidents: IncidentLog,
    nowMs: () => number,
    state: RunState,
  ) {
    this.#files = files;
    this.#incidents = incidents;
    this.#nowMs = nowMs;
    this.#state = state;
  }

  static async open(
    files: StateFiles,
    incidents: IncidentLog,
    nowMs: () => number,
  ): Promise<Memory> {
    return new Memory(files, incidents, nowMs, await loadRunState(files));
  }

  get state(): RunState {
    return this.#state;
  }

  /** Not durable before `save`. A key set to undefined is forgotten. */
  patch(change: Partial<RunState> | { contactFailure: undefined }): void {
    this.#news ||= isNews(this.#state, change);
    this.#state = { ...this.#state, ...change } as RunState;
  }

  async save(): Promise<void> {
    try {
      await saveRunState(this.#files, this.#state);
      this.#news = false;
      this.#savedAtMs = this.#nowMs();
    } catch (error) {
      this.#incidents.add(error);
    }
  }

  async saveNews(): Promise<void> {
    const stale = Math.abs(this.#nowMs() - this.#savedAtMs) >= memoryRefreshMs;
    if (this.#news || stale) await this.save();
  }
}

type Change = { readonly [Key in keyof RunState]?: RunState[Key] | undefined };

function isNews(state: RunState, change: Change): boolean {
  return (Object.keys(change) as (keyof RunState)[]).some((key) => {
    if (key === 'lastContactMs') return false;
    if (key === 'lastRun') return !sameRun(state.lastRun, change.lastRun);
    // The text may name a time; the code comes first.
    if (key === 'contactFailure') return code(state[key]) !== code(change[key]);
    const [before, now] = [state[key], change[key]];
    return before !== now && JSON.stringify(before) !== JSON.stringify(now);
  });
}

function code(failure: string | undefined): string | undefined {
  return failure?.split(':')[0];
}

/** Apart from when it was, how long it took and what it is called. */
function sameRun(before: LastRun | undefined, now: LastRun | undefined): boolean {
  if (before === undefined || now === undefined) return before === now;
  return (
    before.state === now.state &&
    before.dryRun === now.dryRun &&
    before.offline === now.offline &&
    before.policyVersion === now.policyVersion &&
    before.resources.length === now.resources.length &&
    before.resources.every((one, index) => {
      const other = now.resources[index]!;
      return (
        one.id === other.id &&
        one.type === other.type &&
        one.action === other.action &&
        one.errorCode === other.errorCode &&
        one.reason === other.reason
      );
    })
  );
}
