import type { ActorSystem } from '../../runtime/actor.ts';
import type { TimerHandle } from '../../runtime/ports/clock.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { PolicyTables } from '../policy/tables.ts';
import type { FleetEvents } from '../sink/messages.ts';
import { outboxWriterAddress } from '../sink/outbox-writer.ts';
import { silenceLimitMs } from './convergence.ts';
import { type EnvoyRecord, envoyTable } from './record.ts';
import { SilenceWatch } from './silence-watch.ts';

type Silent = FleetEvents['envoy.silent'];

/** Envoys that fall silent together are told of together. */
const gatherMs = 50;
const perMessage = 500;
/** Rows that one step of a walk reads, and the pause before the next: a million takes a quarter of a minute. */
const walkStep = 1_000;
const walkPauseMs = 10;

export interface SilenceParts {
  readonly thread: string;
  /** Names of all fleet shards, this one among them. */
  readonly shards: readonly string[];
  readonly ports: Ports;
  /** Of this shard. */
  readonly store: StoreReader;
  /** Of the other shards. */
  readonly peers: readonly StoreReader[];
  /** Where the identities are. */
  readonly service: StoreReader;
  readonly tables: Pick<PolicyTables, 'identities'>;
  readonly intervalMs: number;
  /** False while the outbox keeps its last room for reports. */
  readonly mayTell: () => boolean;
}

/** Finds out which envoys are offline, and tells the database. */
export class Silence {
  readonly watch: SilenceWatch;
  readonly #parts: SilenceParts;
  readonly #limitMs: number;
  #system: Pick<ActorSystem, 'tell'> | undefined;
  #gathered: Silent[] = [];
  #sweep: TimerHandle | undefined;
  /** Told of since the start; undefined once everybody was looked at. */
  #told: Set<string> | undefined;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
    this.#limitMs = silenceLimitMs(parts.intervalMs);
    const { clock } = parts.ports;
    this.watch = new SilenceWatch({
      clock,
      limitMs: this.#limitMs,
      onSilent: (envoyId) => this.#silent(envoyId),
    });
  }

  /**
   * Everybody who may have been there before this thread started has the whole allowed silence from now
   * on, because the server's own absence is nobody's silence. Envoys whose record stands here are looked
   * at when it is over: until then they cost no memory, however many there are. This shard's part
   * of all that are enrolled and have no record, which may be lost, is watched.
   */
  start(system: Pick<ActorSystem, 'tell'>): void {
    this.#system = system;
    this.#told = new Set();
    const { store, peers, service, tables, thread, shards, ports } = this.#parts;
    const own = shards.indexOf(thread);
    const isUnseen = (envoyId: string) =>
      [store, ...peers].every((reader) => reader.get(envoyTable, envoyId) === undefined);
    this.#walk(
      (from) => [...service.range(tables.identities, { from, limit: walkStep })],
      ([envoyId, identity]) => {
        const isOwn = !identity.revoked && shareOf(envoyId, shards.length) === own;
        if (isOwn && isUnseen(envoyId)) this.watch.expect(envoyId);
      },
    );
    this.#sweepAfter(ports.clock.monotonicMs());
  }

  stop(): void {
    this.#sweep?.cancel();
    this.watch.stop();
    this.#system = undefined;
  }

  /** Looks at every record once those who were not heard of since `fromMs` count as silent. */
  #sweepAfter(fromMs: number): void {
    const leftMs = this.watch.leftMs(fromMs);
    if (leftMs > 0) {
      const { clock } = this.#parts.ports;
      this.#sweep = clock.after(leftMs, () => this.#sweepAfter(fromMs), { unref: true });
      return;
    }
    this.#walk(
      (from) => [...this.#parts.store.range(envoyTable, { from, limit: walkStep })],
      ([envoyId, record]) => this.#lookAt(envoyId, record),
      () => {
        this.#told = undefined;
      },
    );
  }

  /** Who was heard of since the start is watched, or was told of. */
  #lookAt(envoyId: string, { revoked, lastSeenMs }: EnvoyRecord): void {
    if (revoked || this.watch.has(envoyId) || this.#told?.has(envoyId)) return;
    // Its record came from another shard meanwhile, or the clock was set.
    const isRecent = this.#parts.ports.clock.nowMs() - lastSeenMs < this.#limitMs;
    if (isRecent) this.watch.expect(envoyId);
    else this.#silent(envoyId);
  }

  /** Step by step, so that envoys are served in between and a start is not slower for it. */
  #walk<Row>(
    read: (from: string) => readonly (readonly [string, Row])[],
    each: (row: readonly [string, Row]) => void,
    done: () => void = () => undefined,
    from = '',
  ): void {
    if (this.#system === undefined) return;
    const rows = read(from);
    for (const row of rows) each(row);
    const last = rows.at(-1)?.[0];
    if (last === undefined || rows.length < walkStep) {
      done();
      return;
    }
    const next = () => this.#walk(read, each, done, `${last}\u0000`);
    this.#parts.ports.clock.after(walkPauseMs, next, { unref: true });
  }

  #silent(envoyId: string): void {
    const { store, peers, ports } = this.#parts;
    const nowMs = ports.clock.nowMs();
    const own = store.get(envoyTable, envoyId)?.lastSeenMs ?? 0;
    let lastSeenMs = own;
    for (const peer of peers) {
      lastSeenMs = Math.max(lastSeenMs, peer.get(envoyTable, envoyId)?.lastSeenMs ?? 0);
    }
    // It moved to another shard, which watches it.
    if (lastSeenMs > own && nowMs - lastSeenMs < this.#limitMs) return;
    this.#told?.add(envoyId);
    if (this.#gathered.length === 0) {
      ports.clock.after(gatherMs, () => this.#tell(), { unref: true });
    }
    this.#gathered.push({ envoyId, lastSeenMs });
  }

  #tell(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    if (!this.#parts.mayTell()) {
      for (const { envoyId } of gathered) this.watch.expect(envoyId);
      return;
    }
    const { thread, ports } = this.#parts;
    const atMs = ports.clock.nowMs();
    for (let at = 0; at < gathered.length; at += perMessage) {
      const events = gathered
        .slice(at, at + perMessage)
        .map((body) => ({ type: 'envoy.silent', atMs, body }));
      this.#system?.tell(outboxWriterAddress(thread), 'write', { events });
    }
  }
}

/** Which of `shards` shards expects an envoy that none holds; UUIDs of version 4 are random throughout. */
function shareOf(envoyId: string, shards: number): number {
  return Number.parseInt(envoyId.slice(0, 8), 16) % shards;
}
