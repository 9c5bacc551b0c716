/** What a server costs, as a function of its fleet. Pure: measured points in, answers out. */
import { nonNegativeFit } from './least-squares.ts';

/** One measured state of the server. */
export interface Point {
  readonly connections: number;
  readonly checkins_per_second: number;
  readonly reports_per_second: number;
  readonly server_cores: number;
  readonly rss_kb: number;
}

/** CPU in microseconds, memory in kilobytes, disk in bytes. */
export interface Model {
  /** Of a server that nobody asks anything. */
  readonly base_cores: number;
  readonly cpu_us_per_checkin: number;
  readonly cpu_us_per_report: number;
  /** Of that, what the one thread that writes the database spends. */
  readonly writer_us_per_report: number;
  readonly cpu_us_per_handshake: number;
  readonly base_kb: number;
  readonly kb_per_envoy: number;
  readonly disk_bytes_per_report: number;
}

export interface Fleet {
  readonly envoys: number;
  readonly interval_s: number;
  /** Share of check-ins that are followed by a report of changes, 0 to 1. */
  readonly changed: number;
}

export interface Machine {
  readonly cores: number;
  readonly memory_kb: number;
  readonly open_files: number;
  readonly disk_bytes: number;
}

/** Reports kept per envoy (the server's default of database.runs_per_envoy). */
export const runsPerEnvoy = 200;
/** Shares of a resource that a server may take while it still answers in time. */
export const usable = { cpu: 0.7, memory: 0.8, files: 1, disk: 0.8, writer: 0.7 } as const;
/** Open files beside one per envoy. */
export const ownFiles = 300;
/** New connections that one shard admits per second (limits.handshakes_per_second). */
const admittedPerShard = 300;
const envoysMax = 1_000_000;

export type Resource = keyof typeof usable;

/**
 * What 18,000 envoys held each, at any interval (docs/capacity.md). Few connections measure less: 14 KB
 * are a connection's own (perf/tls-floor.ts), and V8's heap grows in steps.
 */
export const kbPerEnvoyFloor = 28;

/** Resident memory at some number of connections, without load. */
export interface MemoryReading {
  readonly connections: number;
  readonly rss_kb: number;
}

/**
 * Cost of check-ins and reports from points that differ in both; memory per envoy from readings at
 * different numbers of connections, on top of what the server holds under load.
 */
export function fitModel(
  points: readonly Point[],
  readings: readonly MemoryReading[],
  rest: Pick<Model, 'writer_us_per_report' | 'cpu_us_per_handshake' | 'disk_bytes_per_report'>,
): Model {
  const [base = 0, perCheckIn = 0, perReport = 0] = nonNegativeFit(
    points.map(({ checkins_per_second, reports_per_second, server_cores }) => ({
      inputs: [1, checkins_per_second, reports_per_second],
      output: server_cores,
    })),
  );
  const [, slope = 0] = nonNegativeFit(
    readings.map(({ connections, rss_kb }) => ({ inputs: [1, connections], output: rss_kb })),
  );
  const kbPerEnvoy = Math.max(kbPerEnvoyFloor, slope);
  const bases = points.map(({ connections, rss_kb }) => rss_kb - connections * kbPerEnvoy);
  return {
    ...rest,
    base_cores: base,
    cpu_us_per_checkin: perCheckIn * 1e6,
    cpu_us_per_report: perReport * 1e6,
    base_kb: Math.max(0, ...bases),
    kb_per_envoy: kbPerEnvoy,
  };
}

/** What the model says of a state. */
export function predict(
  model: Model,
  load: Pick<Point, 'connections' | 'checkins_per_second' | 'reports_per_second'>,
): { readonly server_cores: number; readonly rss_kb: number } {
  const us =
    load.checkins_per_second * model.cpu_us_per_checkin +
    load.reports_per_second * model.cpu_us_per_report;
  return {
    server_cores: model.base_cores + us / 1e6,
    rss_kb: model.base_kb + load.connections * model.kb_per_envoy,
  };
}

/** What a fleet needs, in the units of `Machine`; `writer` in cores of the one writing thread. */
export function needsOf(model: Model, fleet: Fleet): Readonly<Record<Resource, number>> {
  const { envoys, interval_s, changed } = fleet;
  const perSecond = envoys / interval_s;
  const reports = perSecond * changed;
  const { server_cores, rss_kb } = predict(model, {
    ...{ connections: envoys, checkins_per_second: perSecond, reports_per_second: reports },
  });
  return {
    cpu: server_cores,
    memory: rss_kb,
    files: envoys + ownFiles,
    disk: envoys * (changed > 0 ? runsPerEnvoy : 0) * model.disk_bytes_per_report,
    writer: (reports * model.writer_us_per_report) / 1e6,
  };
}

/** Share of what is usable that the fleet takes, by resource; above 1 it does not fit. */
export function usesOf(
  model: Model,
  fleet: Fleet,
  machine: Machine,
): Readonly<Record<Resource, number>> {
  const needs = needsOf(model, fleet);
  return {
    cpu: needs.cpu / (machine.cores * usable.cpu),
    memory: needs.memory / (machine.memory_kb * usable.memory),
    files: needs.files / (machine.open_files * usable.files),
    disk: needs.disk / (machine.disk_bytes * usable.disk),
    writer: needs.writer / usable.writer,
  };
}

/** The resource that is used up first. */
export function bindingOf(uses: Readonly<Record<Resource, number>>): Resource {
  const [first] = (Object.entries(uses) as [Resource, number][]).sort(([, a], [, b]) => b - a);
  return first?.[0] ?? 'cpu';
}

/** The largest fleet of this rhythm that fits, up to what one server may have enrolled. */
export function carries(model: Model, fleet: Omit<Fleet, 'envoys'>, machine: Machine): number {
  const fits = (envoys: number) => {
    const uses = usesOf(model, { ...fleet, envoys }, machine);
    return uses[bindingOf(uses)] <= 1;
  };
  let least = 0;
  let most = envoysMax;
  if (!fits(least)) return 0;
  if (fits(most)) return most;
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return least;
}

const coreSizes = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128] as const;
const memorySizesGb = [2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

/** The smallest usual machine that carries the fleet; a size that is missing is beyond one server. */
export interface Hardware {
  readonly cores?: number;
  readonly memory_gb?: number;
  readonly open_files: number;
  readonly disk_gb: number;
  /** False when one thread cannot write that many reports, whatever the machine. */
  readonly writer_keeps_up: boolean;
}

export function hardwareFor(model: Model, fleet: Fleet): Hardware {
  const needs = needsOf(model, fleet);
  const cores = coreSizes.find((size) => needs.cpu <= size * usable.cpu);
  const memory_gb = memorySizesGb.find((size) => needs.memory <= size * 2 ** 20 * usable.memory);
  return {
    ...(cores === undefined ? {} : { cores }),
    ...(memory_gb === undefined ? {} : { memory_gb }),
    open_files: needs.files,
    disk_gb: Math.ceil(needs.disk / usable.disk / 1e9),
    writer_keeps_up: needs.writer <= usable.writer,
  };
}

/** Seconds until the whole fleet is back after a restart: its rhythm, admission, handshakes. */
export function restartSeconds(
  model: Model,
  fleet: Fleet,
  machine: Pick<Machine, 'cores'>,
): number {
  const admission = fleet.envoys / (admittedPerShard * machine.cores);
  const handshakes = (fleet.envoys * model.cpu_us_per_handshake) / 1e6 / machine.cores;
  return Math.max(fleet.interval_s, admission, handshakes);
}

/** By how much a prediction is off, as a share of what was measured; signed. */
export function errorShare(predicted: number, measured: number): number {
  return measured === 0 ? 0 : (predicted - measured) / measured;
}
