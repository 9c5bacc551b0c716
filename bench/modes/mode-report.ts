import type { FleetOptions } from '../fleet/options.ts';
import type { Progress } from '../fleet/progress.ts';
import type { ViewersSeen } from '../fleet/viewers.ts';
import type { WindowReport } from '../run/bench-run.ts';

export const modeNames = [
  'fleet',
  'herd',
  'publish',
  'query',
  'reports',
  'dashboard',
  'mixed',
  'soak',
] as const;
export type ModeName = (typeof modeNames)[number];

/** Seconds until so many of the fleet had got there; absent = it did not within the limit. */
export interface Reached {
  readonly p50_s?: number;
  readonly p90_s?: number;
  readonly p99_s?: number;
  readonly all_s?: number;
  readonly envoys: number;
  readonly of: number;
}

export interface HerdFigures {
  readonly how: 'stop' | 'kill';
  /** Between the end of the old process and "ready" of the new one. */
  readonly down_s: number;
  /** Since the end of the old process: the first answered check-in of each envoy. */
  readonly back: Reached;
  /** How often the server has called one of them offline since it came back; all are alive. */
  readonly false_offline: number;
  /** Envoys without an answer for longer than three intervals (at least 3 s), for whatever reason. */
  readonly silent_envoys: number;
  readonly longest_silence_s: number;
  readonly reconnects: number;
  readonly resumed_sessions: number;
  readonly refused_handshakes: number;
  readonly server_cpu_s_until_whole: number;
}

export interface PublishFigures {
  readonly version: number;
  /** Until the server had answered the request to publish. */
  readonly request_s: number;
  /** Since the request: until the envoys held the version, and until the server knew it. */
  readonly taken: Reached;
  readonly told: Reached;
}

/** A question that the whole fleet was asked: a plan that every connected envoy dry-runs. */
export interface QueryFigures {
  /** Envoys that the server asked: those that are connected, up to its limit. */
  readonly asked: number;
  /** Until the server had compiled the candidate and chosen whom to ask. */
  readonly request_s: number;
  /** Since the request: until the answers were durable. */
  readonly answered: Reached;
  /** Until the database had every answer. */
  readonly in_database_s: number;
  /** Answers that the plan then showed. */
  readonly joined: number;
  /** Of the server with check-ins alone. */
  readonly baseline_cores: number;
  /** What the server spent beyond that, by the answers: compiling, asking, taking them, writing them. */
  readonly server_cpu_us_per_answer: number;
}

export interface BurstFigures {
  readonly envoys: number;
  /** Until all of these reports were on disk and acknowledged. */
  readonly durable_s: number;
  /** Until the database, which people query, had taken over every event. */
  readonly in_database_s: number;
  readonly retries: number;
}

export interface ViewerFigures extends ViewersSeen {
  /** Of check-ins, with viewers to without, in the same run; 0 = not compared. */
  readonly latency_p99_ratio: number;
  readonly server_cpu_ratio: number;
  /** Cores that the server kept busy beyond those without viewers; 0 = not compared. */
  readonly server_cores_added: number;
}

export interface SoakFigures {
  readonly warm_up_s: number;
  /** Least squares over the samples after the warm-up. */
  readonly rss_kb_per_hour: number;
  /** Of that slope, one standard error. */
  readonly rss_kb_per_hour_error: number;
  readonly growth: readonly Growth[];
}

/** What one part of the disk grew by, and what was put there. */
export interface Growth {
  readonly what: string;
  readonly kb: number;
  readonly rows?: number;
  readonly because: string;
}

/** What every mode prints with --json; the sections of other modes are absent. */
export interface ModeReport extends WindowReport {
  readonly mode: ModeName;
  readonly herd?: HerdFigures;
  readonly publish?: PublishFigures;
  readonly query?: QueryFigures;
  readonly burst?: BurstFigures;
  readonly viewers?: ViewerFigures;
  readonly soak?: SoakFigures;
}

export interface ModeOptions extends FleetOptions {
  /** herd: how the server ends. */
  readonly how: 'stop' | 'kill';
  /** reports, mixed: share of the envoys that report at once, 0 to 1. */
  readonly burst: number;
  /** dashboard, mixed. */
  readonly viewers: number;
  /** dashboard, mixed: how long a viewer looks at a page; 0 = for ever. */
  readonly turnEveryMs: number;
  readonly signAhead: boolean;
}

export interface ModeParts {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export type Mode = (options: ModeOptions, parts: ModeParts) => Promise<ModeReport>;
