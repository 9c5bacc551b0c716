import { SignedRelease } from '../../agent/protocol/gen/vigo/v1/release.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { ReadReleasePart } from '../releases/release-files.ts';
import { inRollout } from '../releases/rollout.ts';
import type {
  ReleaseRolloutRow,
  ReleaseRolloutTable,
  RolledOutRelease,
} from '../releases/tables.ts';
import type { GateLimits } from './release-gate.ts';
import { ReleaseGate } from './release-gate.ts';

/** How late a shard may learn of a change of the rollout. */
const viewAgeLimitMs = 200;

/** The rollout of a release, ready for many envoys. */
export interface KnownRollout {
  readonly row: ReleaseRolloutRow;
  readonly releases: readonly SignedRelease[];
  readonly reaches: ReturnType<typeof inRollout>;
}

/** What a shard knows of releases: one comparison per check-in while nothing is rolled out. */
export class UpdateView {
  readonly #store: StoreReader;
  readonly #table: ReleaseRolloutTable;
  readonly #clock: Clock;
  readonly gate: ReleaseGate;
  readonly readPart: ReadReleasePart;
  #known: KnownRollout | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    readonly store: StoreReader;
    readonly table: ReleaseRolloutTable;
    readonly clock: Clock;
    readonly limits: GateLimits;
    readonly readPart: ReadReleasePart;
  }) {
    this.#store = parts.store;
    this.#table = parts.table;
    this.#clock = parts.clock;
    this.gate = new ReleaseGate(parts.limits);
    this.readPart = parts.readPart;
  }

  /** The rollout that concerns an agent of this version; undefined for nearly every check-in. */
  forVersion(agentVersion: string): KnownRollout | undefined {
    const known = this.#current();
    if (known === undefined || known.row.version === agentVersion) return undefined;
    return known;
  }

  /** The rollout of this version, paused or not. */
  ofVersion(version: string): KnownRollout | undefined {
    const known = this.#current();
    return known?.row.version === version ? known : undefined;
  }

  /** An artefact of the rollout by its hash, hex. */
  artefact(downloadSha256: string): RolledOutRelease | undefined {
    return this.#current()?.row.releases.find((one) => one.downloadSha256 === downloadSha256);
  }

  #current(): KnownRollout | undefined {
    if (this.#clock.monotonicMs() - this.#readAtMs < viewAgeLimitMs) return this.#known;
    this.#readAtMs = this.#clock.monotonicMs();
    const row = this.#store.get(this.#table, 'current');
    if (row === undefined) this.#known = undefined;
    else if (row.revision !== this.#known?.row.revision) {
      const releases = row.releases.map(({ signed }) => SignedRelease.decode(signed));
      this.#known = { row, releases, reaches: inRollout(row) };
    }
    return this.#known;
  }
}
