import type { Engine } from './converge/engine.ts';
import type { PassResult } from './converge/result.ts';
import { AgentError } from './errors.ts';
import type { IncidentLog } from './incident-log.ts';
import type { LivePolicyFacts } from './live-facts.ts';
import type { Logger } from './log.ts';
import type { Memory } from './memory.ts';
import type { HeldPolicy } from './offline/bundle-cache.ts';
import type { ResourceHistory } from './offline/history.ts';
import { historyEntries } from './offline/history-entry.ts';
import type { ReportQueue } from './offline/report-queue.ts';
import type { LastRun } from './offline/run-state.ts';
import type { AgentClock, Host } from './platform/platform.ts';
import type { PolicyHolder } from './policy-holder.ts';
import type { PolicyValue } from './protocol/bundle.ts';
import { toHex } from './protocol/bytes.ts';
import { type CheckInResponse, ConvergenceState } from './protocol/gen/vigo/v1/agent.ts';
import type { BundleManifest } from './protocol/gen/vigo/v1/bundle.ts';
import { protocolVersion } from './protocol/limits.ts';
import { childTrace, makeTrace, type TraceContext } from './protocol/traceparent.ts';
import { makeUuid, uuidToText } from './protocol/uuid.ts';
import type { Rehearser } from './rehearser.ts';
import { wireState } from './report.ts';
import type { PassFacts, Reporter } from './reporter.ts';
import type { SecretKeeper } from './secrets/secret-keeper.ts';
import type { ServerClient } from './server-client.ts';
import type { ToldDocument, ToldTraits } from './traits/told-traits.ts';
import type { Updater } from './update/updater.ts';
import type { Witness } from './witness/witness.ts';

export type Traits = Readonly<Record<string, PolicyValue>>;

export interface NodeAgentParts {
  readonly platform: { readonly clock: AgentClock; readonly host: Pick<Host, 'randomBytes'> };
  readonly client: ServerClient;
  readonly policy: PolicyHolder;
  readonly queue: ReportQueue;
  readonly reporter: Reporter;
  readonly memory: Memory;
  readonly history: ResourceHistory;
  readonly incidents: IncidentLog;
  readonly engine: Engine;
  readonly rehearser: Rehearser;
  readonly witness: Witness;
  readonly secrets: SecretKeeper;
  readonly collectTraits: () => Promise<Traits>;
  readonly told: ToldTraits;
  readonly log: Logger;
  readonly agentVersion: string;
  readonly dryRun: boolean;
  /** Absent where the program does not look after itself: a single run, a dry run. */
  readonly updater?: Updater;
}

export interface CheckInAnswer {
  readonly nextCheckInMs: number;
  readonly adopted: boolean;
  /** The next check-in is due within so long, whoever sets the pace: a version on trial. */
  readonly withinMs: number | undefined;
}

/** Of one pass. */
interface PassCircumstances {
  readonly offline: boolean;
  readonly signal: AbortSignal;
  readonly runId: Uint8Array;
  readonly trace: TraceContext;
}

/** One envoy's acts: check in, converge, report. The daemon decides when. */
export class NodeAgent {
  readonly #parts: NodeAgentParts;
  /** Of the policy that was enforced or adopted last. */
  #manifest: BundleManifest | undefined;

  constructor(parts: NodeAgentParts) {
    this.#parts = parts;
  }

  /** For `vigo status`; nothing that only root may know. */
  facts(): LivePolicyFacts {
    const { memory, queue } = this.#parts;
    const { lastContactMs, contactFailure, lastRun } = memory.state;
    const { policyVersion, expiresAtMs } = this.#manifest ?? {};
    return {
      policyVersion,
      policyExpiresAtMs: expiresAtMs,
      lastContactMs,
      contactFailure,
      lastRun: lastRun && { ...lastRun, resources: undefined },
      pendingResults: queue.length,
    };
  }

  newTrace(): TraceContext {
    return makeTrace((length) => this.#parts.platform.host.randomBytes(length));
  }

  /** How often the daemon checks in: what it is worth to wait for an answer. */
  pace(intervalMs: number): void {
    this.#parts.client.pace(intervalMs);
  }

  /** How long a call may hold up what else is due; infinity when nothing is. */
  hurry(limitMs: number): void {
    this.#parts.client.hurry(limitMs);
  }

  collectTraits(): Promise<Traits> {
    return this.#parts.collectTraits();
  }

  /** Throws what ServerClient.call throws; a bundle that does not verify is an incident instead. */
  async checkIn(traits: Traits, trace: TraceContext): Promise<CheckInAnswer> {
    const { client, queue, memory, policy, updater } = this.#parts;
    const news = updater?.news();
    const log = this.#parts.log.within(trace);
    const document = await this.#parts.told.document(traits);
    await policy.store();
    const held = await policy.held();
    try {
      const answer = await client.call(
        'CheckIn',
        { ...this.#checkInBody(held, document), update: news },
        this.#span(trace),
      );
      if (answer.protocolVersion !== protocolVersion)
        throw new AgentError('PROTOCOL_VERSION', `server ${answer.protocolVersion}`);
      memory.patch({
        lastContactMs: this.#parts.platform.clock.nowMs(),
        contactFailure: undefined,
      });
      await queue.settle(answer.storeId, answer.settledReportSequence);
      const adopted = await this.#adopt(answer, log);
      this.#parts.rehearser.offer(answer.rehearsal);
      await this.#parts.witness.answered(answer.audit);
      await updater?.answered(answer.update, news);
      if (answer.wantTraits) await this.#reportTraits(document.json, trace);
      log.log('debug', 'checked in', {
        nextMs: answer.nextCheckInMs,
        adopted,
        settled: answer.settledReportSequence,
        unsettled: queue.length,
      });
      const withinMs = updater?.paceLimitMs;
      return { nextCheckInMs: answer.nextCheckInMs, adopted, withinMs };
    } catch (error) {
      await updater?.unanswered();
      const failure = error instanceof AgentError ? `${error.code}: ${error.message}` : `${error}`;
      memory.patch({ contactFailure: failure });
      throw error;
    }
  }

  /** Undefined when there is nothing to enforce, or nothing that may be. */
  async pass(
    traits: Traits,
    offline: boolean,
    signal: AbortSignal,
    trace: TraceContext,
  ): Promise<PassResult | undefined> {
    const result = await this.#enforce(traits, offline, signal, trace);
    await this.#rehearse(traits, signal, trace);
    return result;
  }

  async #enforce(
    traits: Traits,
    offline: boolean,
    signal: AbortSignal,
    trace: TraceContext,
  ): Promise<PassResult | undefined> {
    const { incidents, memory, reporter } = this.#parts;
    const runId = this.#newRunId();
    let held: HeldPolicy | undefined;
    try {
      held = await this.#parts.policy.enforceable();
      if (held !== undefined)
        return await this.#converge(held, traits, { offline, signal, runId, trace });
    } catch (error) {
      incidents.add(error, { traceId: trace.traceId });
    }
    await reporter.idle({ runId, manifest: held?.manifest, policyChanged: false, offline });
    await memory.saveNews();
    return undefined;
  }

  /** Trouble of a rehearsal must not look like trouble of the node. */
  async #rehearse(traits: Traits, signal: AbortSignal, trace: TraceContext): Promise<void> {
    const { rehearser, memory, incidents } = this.#parts;
    try {
      await rehearser.run({
        traits,
        signal,
        runId: this.#newRunId(),
        pendingTriggers: memory.state.pendingTriggers ?? [],
        policyVersion: memory.state.held?.policyVersion ?? 0,
        secrets: (root, paths) =>
          this.#parts.secrets.valuesForCandidate(root, paths, this.#span(trace)),
      });
    } catch (error) {
      incidents.add(error, { traceId: trace.traceId });
    }
  }

  #newRunId(): Uint8Array {
    return makeUuid(this.#parts.platform.host.randomBytes(16).slice());
  }

  /** Throws what the connection throws; what was not sent stays queued. */
  drain(trace: TraceContext): Promise<void> {
    return this.#parts.reporter.drain(this.#span(trace));
  }

  /** Goes on with an update of the agent. True: this process is to end, another version starts. */
  async update(trace: TraceContext): Promise<boolean> {
    return (await this.#parts.updater?.work(this.#span(trace))) === true;
  }

  saveMemory(): Promise<void> {
    return this.#parts.memory.save();
  }

  #checkInBody(held: HeldPolicy | undefined, told: ToldDocument) {
    const { queue, memory, agentVersion } = this.#parts;
    const last = memory.state.lastRun;
    return {
      policyVersion: held?.manifest.policyVersion ?? 0,
      bundleRoot: held?.manifest.bundleRoot ?? new Uint8Array(0),
      traitsHash: told.hash,
      state:
        last === undefined ? ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED : wireState[last.state],
      reportSequence: queue.lastSequence,
      agentVersion,
      bundleExpiresAtMs: held?.manifest.expiresAtMs ?? 0,
      oldestReportSequence: queue.oldestSequence,
      secretsEpoch: memory.state.held?.secretsEpoch ?? 0,
      update: undefined,
      ...this.#parts.witness.told(),
    };
  }

  async #adopt(answer: CheckInResponse, log: Logger): Promise<boolean> {
    if (answer.bundle === undefined) return false;
    try {
      const { manifest } = await this.#parts.policy.adopt(answer.bundle);
      this.#manifest = manifest;
      log.log('info', 'policy adopted', {
        version: manifest.policyVersion,
        root: toHex(manifest.bundleRoot).slice(0, 16),
      });
      return true;
    } catch (error) {
      this.#parts.incidents.add(error);
      return false;
    }
  }

  /** Traits that cannot be told stop neither the check-in nor the pass. */
  async #reportTraits(traitsJson: Uint8Array, trace: TraceContext): Promise<void> {
    try {
      await this.#parts.client.call('ReportTraits', { traitsJson }, this.#span(trace));
    } catch (error) {
      this.#parts.incidents.add(error, { traceId: trace.traceId });
    }
  }

  async #converge(
    held: HeldPolicy,
    traits: Traits,
    { offline, signal, runId, trace }: PassCircumstances,
  ): Promise<PassResult> {
    const { engine, memory, reporter, dryRun, secrets } = this.#parts;
    const { manifest, document } = held;
    this.#manifest = manifest;
    const root = toHex(manifest.bundleRoot);
    // A rotated secret is a change of policy, not drift; so is a later stage of a rollout.
    const policyChanged =
      memory.state.passedVersion !== manifest.policyVersion ||
      (memory.state.passedRoot ?? root) !== root ||
      (memory.state.passedSecretsEpoch ?? 0) !== manifest.secretsEpoch;
    const result = await engine.pass({
      document,
      traits,
      dryRun,
      signal,
      secrets: (paths) => secrets.valuesFor(held, paths, offline ? undefined : this.#span(trace)),
      pendingTriggers: memory.state.pendingTriggers ?? [],
      persistTriggers: async (ids) => {
        memory.patch({ pendingTriggers: ids });
        await memory.save();
      },
    });
    await reporter.passed(result, { runId, manifest, policyChanged, offline });
    if (!dryRun) memory.patch({ pendingTriggers: result.pendingTriggers });
    if (!dryRun && !result.aborted) {
      const { policyVersion, secretsEpoch } = manifest;
      memory.patch({
        passedVersion: policyVersion,
        passedRoot: root,
        passedSecretsEpoch: secretsEpoch,
      });
    }
    if (!dryRun) await this.#remember(result, { runId, manifest, policyChanged, offline });
    memory.patch({ lastRun: lastRunOf(result, { runId, manifest, dryRun, offline }) });
    await memory.saveNews();
    return result;
  }

  /** A disk that refuses the history costs an incident, not the pass. */
  async #remember(result: PassResult, facts: PassFacts): Promise<void> {
    const { history, incidents, memory } = this.#parts;
    const { runId, manifest, policyChanged, offline } = facts;
    try {
      const entries = historyEntries(result, memory.state.lastRun?.resources ?? [], {
        runId: uuidToText(runId),
        policyVersion: manifest?.policyVersion ?? 0,
        cause: policyChanged ? 'policy' : 'drift',
        offline,
      });
      await history.add(entries);
    } catch (error) {
      incidents.add(error);
    }
  }

  #span(trace: TraceContext): TraceContext {
    return childTrace(trace, (length) => this.#parts.platform.host.randomBytes(length));
  }
}

function lastRunOf(
  result: PassResult,
  run: { runId: Uint8Array; manifest: BundleManifest; dryRun: boolean; offline: boolean },
): LastRun {
  return {
    runId: uuidToText(run.runId),
    startedAtMs: result.startedAtMs,
    durationMs: result.durationMs,
    state: result.state,
    dryRun: run.dryRun,
    offline: run.offline,
    policyVersion: run.manifest.policyVersion,
    summary: result.summary,
    resources: result.resources.map(({ id, type, action, reason, errorCode }) => {
      return { id, type, action, reason, errorCode };
    }),
  };
}
