import type { Page } from '../../actors/sink/queries.ts';
import type { RunDetailView, RunView } from '../../actors/sink/query-rows.ts';
import type { LabServer } from '../../test/lab/lab-server.ts';

const pageRows = 100;

/**
 * The runs of one envoy as the server tells them, fetched as they come: it keeps only so many of
 * each envoy.
 */
export class History {
  readonly runs: RunDetailView[] = [];
  /** Newest report at the time from which on runs are kept. */
  readonly before: number;
  readonly #server: LabServer;
  readonly #envoy: string;

  private constructor(server: LabServer, envoy: string, before: number) {
    this.#server = server;
    this.#envoy = envoy;
    this.before = before;
  }

  /** From the next report of the envoy on. */
  static async from(server: LabServer, envoy: string): Promise<History> {
    const [newest] = await server.runs(envoy);
    return new History(server, envoy, newest?.reportSequence ?? 0);
  }

  /** Takes over what is new, oldest first. */
  async fetch(): Promise<void> {
    const last = this.runs.at(-1)?.reportSequence ?? this.before;
    const fresh: RunView[] = [];
    let cursor = '';
    for (;;) {
      const path = `runs?limit=${pageRows}&envoy=${this.#envoy}${cursor}`;
      const { items, next } = await this.#server.get<Page<RunView>>(path);
      const newer = items.filter(({ reportSequence }) => reportSequence > last);
      fresh.push(...newer);
      if (newer.length < items.length || next === undefined) break;
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
    fresh.sort((a, b) => a.reportSequence - b.reportSequence);
    for (const run of fresh) this.runs.push(await this.#server.show(run));
  }
}
