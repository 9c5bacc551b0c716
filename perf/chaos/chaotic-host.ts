import { setTimeout as sleep } from 'node:timers/promises';
import { AgentNode } from '../../test/lab/agent-node.ts';
import type { LabHost } from '../../test/lab/lab.ts';
import { type HostResource, smallDisk } from '../mixed/description.ts';
import { type Damage, damagesOf, isOnSmallDisk } from './damages.ts';
import type { HostView } from './host-view.ts';
import type { MemorySample } from './memory-trend.ts';

const stateDirectory = '/var/lib/vigo';
/** Acts on single resources between two that hit the whole host. */
const actsBetweenTroubles = 7;
const damagesAtOnce = 3;
/** How long a trouble lasts. */
const troubleMs = { least: 4_000, most: 25_000 };
const pollMs = 200;

/** One thing undone by hand. Times are of the machine's clock, which all hosts share. */
export interface Drift {
  readonly resource: string;
  readonly what: string;
  /** When the hand reached for it, and when it was done. */
  readonly beganMs: number;
  madeMs: number;
  repairedMs: number | undefined;
}

export type TroubleKind = 'agent killed' | 'rebooted' | 'disk full' | 'network cut';

export interface Trouble {
  readonly kind: TroubleKind;
  readonly beganMs: number;
  endedMs: number;
}

export interface ChaoticHostOptions {
  readonly host: LabHost;
  readonly view: HostView;
  readonly resources: readonly HostResource[];
  readonly random: () => number;
  /** Between two acts, on average. */
  readonly pauseMs: number;
  readonly troubles: readonly TroubleKind[];
  /** Acts on single resources between two troubles. */
  readonly actsBetween?: number;
  /** The longest trouble, when the run has no time for long ones. */
  readonly troubleLimitMs?: number;
}

/** A host on which somebody undoes things, and who watches how they are repaired. */
export class ChaoticHost extends AgentNode {
  readonly drifts: Drift[] = [];
  readonly troubles: Trouble[] = [];
  readonly memory: MemorySample[] = [];
  readonly view: HostView;
  readonly resources: ReadonlyMap<string, HostResource>;
  readonly #options: ChaoticHostOptions;
  #watching = true;

  constructor(options: ChaoticHostOptions) {
    super(options.host);
    this.#options = options;
    this.view = options.view;
    this.resources = new Map(options.resources.map((one) => [one.name, one]));
  }

  get name(): string {
    return this.host.name;
  }

  open(): readonly Drift[] {
    return this.drifts.filter(({ repairedMs }) => repairedMs === undefined);
  }

  /** Where the disk is to fill up, the directories concerned get a small one of their own. */
  async prepareDisk(): Promise<void> {
    if (!this.#options.troubles.includes('disk full')) return;
    await this.sh(`mkdir -p ${smallDisk} ${stateDirectory}
      mount -t tmpfs -o size=512k,mode=755 lab ${smallDisk}
      mount -t tmpfs -o size=6m,mode=700 lab ${stateDirectory}`);
  }

  /** Acts until that time, each act to its end. */
  async act(untilMs: () => number): Promise<void> {
    const { random, pauseMs, troubles, actsBetween = actsBetweenTroubles } = this.#options;
    for (let acts = 1; ; acts += 1) {
      await sleep(pauseMs * (0.3 + 1.4 * random()));
      if (Date.now() >= untilMs()) return;
      if (acts % (actsBetween + 1) === 0) await this.#trouble(this.#nextOf(troubles));
      else await this.#damageSome(1 + Math.floor(random() * damagesAtOnce));
    }
  }

  /** Sees when what was undone is as declared again. */
  async watch(): Promise<void> {
    while (this.#watching) {
      for (const drift of this.open()) {
        if (drift.madeMs === 0 || !this.view.holds(this.resources.get(drift.resource)!)) continue;
        drift.repairedMs = Date.now();
      }
      await sleep(pollMs);
    }
  }

  stopWatching(): void {
    this.#watching = false;
  }

  /** What is not as declared now. */
  broken(): readonly string[] {
    return [...this.resources.values()]
      .filter((one) => !this.view.holds(one))
      .map(({ name }) => name);
  }

  sampleMemory(): void {
    const pid = this.view.processOf('vigo');
    const rssKb = pid === undefined ? undefined : this.view.memoryOf(pid);
    if (pid !== undefined && rssKb !== undefined)
      this.memory.push({ atMs: Date.now(), pid, rssKb });
  }

  async #damageSome(count: number): Promise<void> {
    const { resources } = this.#options;
    for (let left = count; left > 0; left -= 1) await this.#damage(this.#pick(resources));
  }

  /** Nothing that is broken already is broken again: one drift, one repair. */
  async #damage(one: HostResource, chosen?: Damage): Promise<void> {
    const damage = chosen ?? this.#pick(damagesOf(one));
    const names = [one.name, ...damage.also];
    if (this.open().some(({ resource }) => names.includes(resource))) return;
    const beganMs = Date.now();
    const drifts = names.map(
      (resource): Drift => ({
        resource,
        what: damage.what,
        beganMs,
        madeMs: 0,
        repairedMs: undefined,
      }),
    );
    this.drifts.push(...drifts);
    await this.sh(damage.script);
    for (const drift of drifts) drift.madeMs = Date.now();
  }

  async #trouble(kind: TroubleKind): Promise<void> {
    const trouble: Trouble = { kind, beganMs: Date.now(), endedMs: Number.POSITIVE_INFINITY };
    this.troubles.push(trouble);
    await this.#endure(kind);
    trouble.endedMs = Date.now();
  }

  async #endure(kind: TroubleKind): Promise<void> {
    const { host } = this;
    switch (kind) {
      case 'agent killed':
        await this.sh('systemctl kill -s KILL vigo');
        return;
      case 'rebooted':
        await host.reboot();
        return;
      case 'network cut':
        await host.link('down');
        await this.#pass();
        await host.link('up');
        return;
      case 'disk full':
        return this.#fillDisk();
    }
  }

  /** What is undone there cannot be repaired before there is room again. */
  async #fillDisk(): Promise<void> {
    const places = [smallDisk, stateDirectory];
    const victim = this.#pick(this.#options.resources.filter(isOnSmallDisk));
    const fill = places.map((place) => `cat /dev/zero >${place}/fill 2>/dev/null || :`);
    const deleted = damagesOf(victim).find(({ what }) => what === 'deleted')!;
    await this.#damage(victim, {
      ...deleted,
      what: 'deleted on a full disk',
      script: [deleted.script, ...fill].join('\n'),
    });
    await this.#pass();
    await this.sh(places.map((place) => `rm -f ${place}/fill`).join('\n'));
  }

  /** A while, in which other things go wrong too. */
  async #pass(): Promise<void> {
    const { random, troubleLimitMs = troubleMs.most } = this.#options;
    const span = Math.max(0, Math.min(troubleMs.most, troubleLimitMs) - troubleMs.least);
    const lastsMs = troubleMs.least + random() * span;
    await sleep(lastsMs / 2);
    await this.#damageSome(1);
    await sleep(lastsMs / 2);
  }

  /** One after the other, so that each has its turn. */
  #nextOf(troubles: readonly TroubleKind[]): TroubleKind {
    return troubles[this.troubles.length % troubles.length]!;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#options.random() * list.length)]!;
  }
}
