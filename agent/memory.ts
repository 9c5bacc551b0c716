import type { IncidentLog } from './incident-log.ts';
import { loadRunState, type RunState, saveRunState } from './offline/run-state.ts';
import type { StateFiles } from './offline/state-files.ts';

/** The run state with its place on disk. A disk that refuses it costs an incident, not the pass. */
export class Memory {
  readonly #files: StateFiles;
  readonly #incidents: IncidentLog;
  #state: RunState;

  private constructor(files: StateFiles, incidents: IncidentLog, state: RunState) {
    this.#files = files;
    this.#incidents = incidents;
    this.#state = state;
  }

  static async open(files: StateFiles, incidents: IncidentLog): Promise<Memory> {
    return new Memory(files, incidents, await loadRunState(files));
  }

  get state(): RunState {
    return this.#state;
  }

  /** Not durable before `save`. A key set to undefined is forgotten. */
  patch(change: Partial<RunState> | { contactFailure: undefined }): void {
    this.#state = { ...this.#state, ...change } as RunState;
  }

  async save(): Promise<void> {
    try {
      await saveRunState(this.#files, this.#state);
    } catch (error) {
      this.#incidents.add(error);
    }
  }
}
