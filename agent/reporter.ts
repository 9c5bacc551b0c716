import type { PassResult } from './converge/result.ts';
import { AgentError } from './errors.ts';
import type { IncidentLog } from './incident-log.ts';
import type { Logger } from './log.ts';
import type { Memory } from './memory.ts';
import type { ReportQueue } from './offline/report-queue.ts';
import type { ReportRequest } from './protocol/gen/vigo/v1/agent.ts';
import type { BundleManifest } from './protocol/gen/vigo/v1/bundle.ts';
import type { TraceContext } from './protocol/traceparent.ts';
import {
  incidentReport,
  type ReportedStates,
  type ReportParts,
  reportOf,
  statesOf,
  strippedReport,
  worthReporting,
} from './report.ts';
import type { ServerClient } from './server-client.ts';
import { grpcStatus, ServerRefusal } from './transport.ts';

export interface PassFacts {
  readonly runId: Uint8Array;
  readonly manifest: BundleManifest | undefined;
  readonly policyChanged: boolean;
  readonly offline: boolean;
}

/** What a rehearsal's answer says of itself. */
export interface RehearsalFacts {
  readonly runId: Uint8Array;
  /** Of the policy in force. */
  readonly policyVersion: number;
  /** Of the candidate. */
  readonly bundleRoot: Uint8Array;
  readonly planId: Uint8Array;
}

/** Decides what the server is told of a pass, queues it, and sends what is queued. */
export class Reporter {
  readonly #queue: ReportQueue;
  readonly #client: ServerClient;
  readonly #memory: Memory;
  readonly #incidents: IncidentLog;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  /** Of dry runs, which must not look like what was done. */
  #predicted: ReportedStates | undefined;

  constructor(parts: {
    readonly queue: ReportQueue;
    readonly client: ServerClient;
    readonly memory: Memory;
    readonly incidents: IncidentLog;
    readonly log: Logger;
    readonly nowMs: () => number;
  }) {
    this.#queue = parts.queue;
    this.#client = parts.client;
    this.#memory = parts.memory;
    this.#incidents = parts.incidents;
    this.#log = parts.log;
    this.#nowMs = parts.nowMs;
  }

  /** Queues a report when the pass is worth one. */
  async passed(result: PassResult, facts: PassFacts): Promise<void> {
    this.#incidents.push(...this.#queue.takeIncidents());
    const { reported, reportedAtMs } = this.#memory.state;
    const before = result.dryRun ? this.#predicted : reported;
    const nowMs = this.#nowMs();
    const worth = worthReporting({
      result,
      reported: before,
      sinceReportMs: nowMs - (reportedAtMs ?? 0),
      policyChanged: facts.policyChanged,
      incidents: this.#incidents.waiting,
    });
    if (!worth) return;
    await this.#queue.add(reportOf(result, before ?? {}, this.#parts(facts)));
    if (result.dryRun) this.#predicted = statesOf(result);
    else this.#memory.patch({ reported: statesOf(result), reportedAtMs: nowMs });
  }

  /** When no pass could run: incidents are told all the same. */
  async idle(facts: PassFacts): Promise<void> {
    this.#incidents.push(...this.#queue.takeIncidents());
    if (this.#incidents.waiting === 0) return;
    await this.#queue.add(incidentReport(this.#parts(facts), this.#nowMs()));
  }

  /** The answer to a rehearsal: always told, and whole. */
  async rehearsed(result: PassResult, facts: RehearsalFacts): Promise<void> {
    await this.#queue.add(reportOf(result, {}, this.#rehearsalParts(facts)));
  }

  /** A candidate that gives no plan is an answer too. */
  async rehearsalFailed(error: unknown, facts: RehearsalFacts): Promise<void> {
    this.#incidents.add(error);
    const report = incidentReport(this.#rehearsalParts(facts), this.#nowMs());
    await this.#queue.add({ ...report, dryRun: true });
  }

  /** Sends what is queued, oldest first. Throws what the connection throws; the rest stays queued. */
  async drain(trace: TraceContext): Promise<void> {
    for (let left = this.#queue.unsent; left > 0; left--) {
      const report = await this.#queue.next();
      if (report === undefined) return;
      const durable = await this.#send(report, trace);
      if (durable < report.reportSequence) return;
      this.#queue.acknowledge(durable);
      this.#log.within(trace).log('debug', 'report acknowledged', {
        sequence: report.reportSequence,
      });
    }
  }

  async #send(report: ReportRequest, trace: TraceContext): Promise<number> {
    try {
      return (await this.#client.call('Report', report, trace)).durableReportSequence;
    } catch (error) {
      if (!isHopeless(error)) throw error;
      this.#incidents.add(error, { sequence: report.reportSequence });
      return await this.#sendStripped(report, error, trace);
    }
  }

  /** One report that the server will never take must not hold up those behind it. */
  async #sendStripped(
    report: ReportRequest,
    refusal: AgentError,
    trace: TraceContext,
  ): Promise<number> {
    const incident = { code: refusal.code, message: refusal.message, atMs: this.#nowMs() };
    try {
      const stripped = strippedReport(report, incident);
      return (await this.#client.call('Report', stripped, trace)).durableReportSequence;
    } catch (error) {
      if (!isHopeless(error)) throw error;
      return report.reportSequence;
    }
  }

  #rehearsalParts({ planId, ...facts }: RehearsalFacts): ReportParts {
    return {
      ...facts,
      reportSequence: this.#queue.lastSequence + 1,
      policyChanged: false,
      offline: false,
      incidents: this.#incidents.take(),
      rehearsalPlanId: planId,
    };
  }

  #parts(facts: PassFacts): ReportParts {
    return {
      reportSequence: this.#queue.lastSequence + 1,
      runId: facts.runId,
      policyVersion: facts.manifest?.policyVersion ?? 0,
      bundleRoot: facts.manifest?.bundleRoot ?? new Uint8Array(0),
      policyChanged: facts.policyChanged,
      offline: facts.offline,
      incidents: this.#incidents.take(),
    };
  }
}

/** Refused for what it is, not for the moment. */
function isHopeless(error: unknown): error is AgentError {
  if (error instanceof ServerRefusal)
    return (
      error.retryAfterMs === 0 &&
      (error.status === grpcStatus.invalidArgument || error.status === grpcStatus.resourceExhausted)
    );
  return error instanceof AgentError && error.code === 'PROTOCOL_TOO_LARGE';
}
