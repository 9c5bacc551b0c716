import type { Engine } from './converge/engine.ts';
import type { IncidentLog } from './incident-log.ts';
import type { Logger } from './log.ts';
import type { PolicyValue } from './protocol/bundle.ts';
import { equalBytes, toHex } from './protocol/bytes.ts';
import type { Verifier } from './protocol/crypto.ts';
import type { SignedRehearsal } from './protocol/gen/vigo/v1/bundle.ts';
import { type VerifiedRehearsal, verifyRehearsal } from './protocol/rehearsal.ts';
import type { Reporter } from './reporter.ts';
import type { SecretValues } from './secrets/secret-values.ts';

export interface RehearserParts {
  readonly identity: { readonly envoyId: Uint8Array; readonly bundlePublicKey: Uint8Array };
  readonly verifier: Verifier;
  readonly engine: Engine;
  readonly reporter: Reporter;
  readonly incidents: IncidentLog;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export interface RehearsalRun {
  readonly traits: Readonly<Record<string, PolicyValue>>;
  readonly pendingTriggers: readonly string[];
  /** Of the policy in force; 0 = none. */
  readonly policyVersion: number;
  /** UUID, 16 bytes. */
  readonly runId: Uint8Array;
  readonly signal: AbortSignal;
  /** Those that the policy in force has brought; a candidate's new ones are not fetched. */
  /** Of the candidate of this root. */
  readonly secrets: (root: Uint8Array, paths: readonly string[]) => Promise<SecretValues>;
}

/**
 * Answers what a candidate policy would do here. The candidate lives in memory only and goes through
 * the engine's dry run, so that a stolen or replayed one changes nothing either.
 */
export class Rehearser {
  readonly #parts: RehearserParts;
  #waiting: VerifiedRehearsal | undefined;
  /** Plan of the last answer: the server repeats the question until it has it. */
  #answered: Uint8Array = new Uint8Array(0);

  constructor(parts: RehearserParts) {
    this.#parts = parts;
  }

  /** One that does not verify is an incident, and nothing else. */
  offer(rehearsal: SignedRehearsal | undefined): void {
    const planId = rehearsal?.manifest?.planId;
    if (rehearsal === undefined || (planId && equalBytes(planId, this.#answered))) return;
    const { identity, verifier, incidents, nowMs } = this.#parts;
    const { envoyId, bundlePublicKey: publicKey } = identity;
    try {
      const expected = { envoyId, publicKey, nowMs: nowMs() };
      this.#waiting = verifyRehearsal(rehearsal, expected, verifier);
    } catch (error) {
      incidents.add(error);
    }
  }

  /** After the normal pass, so that the candidate meets the node as that pass left it. */
  async run({
    traits,
    pendingTriggers,
    policyVersion,
    runId,
    signal,
    secrets,
  }: RehearsalRun): Promise<void> {
    const rehearsal = this.#waiting;
    this.#waiting = undefined;
    if (rehearsal === undefined || signal.aborted) return;
    const { engine, reporter, log } = this.#parts;
    const { document, manifest } = rehearsal;
    const { planId, bundleRoot } = manifest;
    const facts = { runId, policyVersion, bundleRoot, planId };
    try {
      const result = await engine.pass({
        document,
        traits,
        dryRun: true,
        transient: true,
        pendingTriggers,
        signal,
        secrets: (paths) => secrets(bundleRoot, paths),
      });
      if (result.aborted) return;
      await reporter.rehearsed(result, facts);
    } catch (error) {
      await reporter.rehearsalFailed(error, facts);
    }
    this.#answered = planId;
    log.log('info', 'rehearsed a candidate policy', { root: toHex(bundleRoot).slice(0, 16) });
  }
}
