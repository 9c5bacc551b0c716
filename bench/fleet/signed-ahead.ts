import { signatureLength } from '../../agent/protocol/crypto.ts';

/** What names a report of an envoy. */
export interface ReportName {
  readonly sequence: number;
  readonly runId: Uint8Array;
  readonly startedAtMs: number;
}

export interface Stamp {
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}

export interface AheadPlan {
  /** So many check-ins. */
  readonly count: number;
  /** Above every sequence that was used. */
  readonly firstSequence: number;
  /** When the first check-in is due, since the epoch. */
  readonly firstMs: number;
  readonly intervalMs: number;
  /** The number of the last report so far. */
  readonly lastReport: number;
  /** So many reports are signed ahead at most; those behind them when they are sent. */
  readonly reportsMax: number;
  /** Asked for each check-in, in order: whether a report follows it. */
  readonly isChanged: () => boolean;
}

/** The envoy's own hand. */
export interface AheadSigner {
  /** Signs a check-in that names `lastReport`. `target`: 64 bytes, written. */
  checkIn(target: Uint8Array, stamp: Stamp, lastReport: number): void;
  /** A whole request; its stream is written when it is sent. */
  report(name: ReportName, stamp: Stamp): Buffer;
  newRunId(): Uint8Array;
}

export interface ReportAhead {
  readonly name: ReportName;
  readonly frames: Buffer;
}

/** Every second sequence is a check-in's; those between are for reports. */
const sequencesPerCheckIn = 2;

/**
 * Requests of one envoy that were signed before their time: check-ins, and the reports between them. They hold
 * while everything comes as it was thought: each report is acknowledged before the next check-in.
 */
export class SignedAhead {
  readonly #plan: AheadPlan;
  readonly #signatures: Buffer;
  /** By check-in: 1 = a report follows that has not been sent. */
  readonly #isChanged: Uint8Array;
  /** In the order in which they follow. */
  readonly #reports: ReportAhead[] = [];
  #reportsUsed = 0;
  /** The report that the next check-in names as the last. */
  #lastReport: number;
  #used = 0;

  constructor(plan: AheadPlan, signer: AheadSigner) {
    this.#plan = plan;
    this.#lastReport = plan.lastReport;
    this.#signatures = Buffer.allocUnsafeSlow(plan.count * signatureLength);
    this.#isChanged = new Uint8Array(plan.count);
    let { lastReport } = plan;
    for (let at = 0; at < plan.count; at += 1) {
      const from = at * signatureLength;
      const target = this.#signatures.subarray(from, from + signatureLength);
      signer.checkIn(target, this.#stamp(at), lastReport);
      if (!plan.isChanged()) continue;
      this.#isChanged[at] = 1;
      lastReport += 1;
      if (this.#reports.length < plan.reportsMax) this.#signReport(at, lastReport, signer);
    }
  }

  /** All sequences below it are taken. */
  get endSequence(): number {
    return this.#plan.firstSequence + this.#plan.count * sequencesPerCheckIn;
  }

  /** Whether the next check-in is there, and names that report as the last. */
  holds(lastReport: number): boolean {
    return this.#used < this.#plan.count && this.#lastReport === lastReport;
  }

  /** Writes the signature of the next check-in. `target`: 64 bytes. */
  takeCheckIn(target: Uint8Array): Stamp {
    const at = this.#used;
    this.#signatures.copy(target, 0, at * signatureLength, (at + 1) * signatureLength);
    this.#used += 1;
    if (this.#isChanged[at] === 1) this.#lastReport += 1;
    return this.#stamp(at);
  }

  /** Whether a report is to follow the last check-in that was taken; undefined before the first. */
  get isChanged(): boolean | undefined {
    return this.#used === 0 ? undefined : this.#isChanged[this.#used - 1] === 1;
  }

  /** The report that is to follow, when it was signed ahead. */
  get report(): ReportAhead | undefined {
    return this.isChanged === true ? this.#reports[this.#reportsUsed] : undefined;
  }

  /** The sequence that was kept free for the report that is to follow, once. */
  takeReport(): number | undefined {
    if (this.isChanged !== true) return undefined;
    const at = this.#used - 1;
    this.#isChanged[at] = 0;
    this.#reportsUsed += 1;
    return this.#stamp(at).sequence + 1;
  }

  #stamp(at: number): Stamp {
    const { firstSequence, firstMs, intervalMs } = this.#plan;
    return {
      sequence: firstSequence + at * sequencesPerCheckIn,
      timestampMs: Math.round(firstMs + at * intervalMs),
    };
  }

  #signReport(at: number, sequence: number, signer: AheadSigner): void {
    const stamp = this.#stamp(at);
    const name = { sequence, runId: signer.newRunId(), startedAtMs: stamp.timestampMs };
    const frames = signer.report(name, { ...stamp, sequence: stamp.sequence + 1 });
    this.#reports.push({ name, frames });
  }
}
