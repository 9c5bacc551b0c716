import { randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { hashLength } from '../../agent/protocol/crypto.ts';
import type { CheckInResponse } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { envelope, methods, type SignedMethodName } from '../../agent/protocol/methods.ts';
import { RequestSigner } from '../../agent/protocol/request.ts';
import { uuidToBytes } from '../../agent/protocol/uuid.ts';
import { CallError, Channel } from './channel.ts';
import { checkInBody, type HeldPolicy, reportBody, traitsDocument } from './envoy-bodies.ts';
import { type Identity, seedOf } from './identities.ts';
import { signerOf } from './signing.ts';

const runIdLength = 16;
const traitsHashLength = 16;

export interface EnvoyTarget {
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
}

interface HeldReport {
  readonly sequence: number;
  readonly runId: Buffer;
  readonly startedAtMs: number;
}

/** A report that the server has promised to keep. */
export interface AcknowledgedReport {
  readonly sequence: number;
  /** 16 bytes. */
  readonly runId: Buffer;
}

/**
 * One envoy as the server sees it: own key, certificate, TLS connection and signatures. Its policy is
 * taken and not enforced. Like the agent it keeps a report until the server acknowledges it. Times
 * named `deadlineMs` are on the clock of `performance.now`.
 */
export class SimulatedEnvoy {
  readonly envoyId: string;
  readonly #envoyId: Uint8Array;
  readonly #signer: RequestSigner;
  readonly #target: EnvoyTarget;
  readonly #context: SecureContext;
  readonly #traits: Uint8Array;
  readonly #traitsHash: Uint8Array;
  #channel: Channel | undefined;
  /** Rises also across runs that use the same identities again. */
  #sequence = Date.now() * 1000;
  #policy: HeldPolicy = { policyVersion: 0, bundleRoot: new Uint8Array(), expiresAtMs: 0 };
  #lastReport = 0;
  #held: HeldReport | undefined;
  #checkInBody: Uint8Array | undefined;
  /** Connections opened so far. */
  connections = 0;

  constructor(identity: Identity, target: EnvoyTarget) {
    this.envoyId = identity.envoyId;
    this.#envoyId = envoyIdBytes(identity);
    const signer = signerOf(seedOf(identity.keyPem));
    this.#signer = new RequestSigner(signer);
    this.#target = target;
    this.#context = createSecureContext({
      ca: target.caPem,
      cert: identity.certificatePem,
      key: identity.keyPem,
    });
    this.#traits = traitsDocument(identity.hostname);
    const hash = new Uint8Array(hashLength);
    signer.sha256Into(hash, this.#traits);
    this.#traitsHash = hash.slice(0, traitsHashLength);
  }

  async connect(): Promise<void> {
    this.#channel = await Channel.open({ ...this.#target, context: this.#context });
    this.connections += 1;
  }

  async checkIn(deadlineMs: number): Promise<CheckInResponse> {
    this.#checkInBody ??= checkInBody(this.#policy, this.#traitsHash, {
      highest: this.#lastReport,
      oldestHeld: this.#held?.sequence ?? this.#lastReport + 1,
    });
    const bytes = await this.#call('CheckIn', this.#checkInBody, deadlineMs);
    const answer = methods.CheckIn.response.decode(bytes);
    const manifest = answer.bundle?.manifest;
    if (manifest) {
      const { policyVersion, bundleRoot, expiresAtMs } = manifest;
      this.#policy = { policyVersion, bundleRoot: bundleRoot.slice(), expiresAtMs };
      this.#checkInBody = undefined;
    }
    if (answer.settledReportSequence > this.#lastReport) {
      this.#lastReport = answer.settledReportSequence;
      this.#held = undefined;
      this.#checkInBody = undefined;
    }
    return answer;
  }

  /**
   * Sends the report that is still held, or a new one. Rejects with CallError REPORT_GAP when the
   * server expects an earlier one: nothing is acknowledged then.
   */
  async report(deadlineMs: number): Promise<AcknowledgedReport> {
    this.#held ??= {
      sequence: this.#lastReport + 1,
      runId: randomBytes(runIdLength),
      startedAtMs: Date.now(),
    };
    const held = this.#held;
    this.#lastReport = held.sequence;
    this.#checkInBody = undefined;
    const bytes = await this.#call('Report', reportBody(this.#policy, held), deadlineMs);
    const { durableReportSequence } = methods.Report.response.decode(bytes);
    if (durableReportSequence < held.sequence) {
      this.#held = undefined;
      this.#lastReport = durableReportSequence;
      throw new CallError('REPORT_GAP', `the server has ${durableReportSequence}`);
    }
    this.#held = undefined;
    return { sequence: held.sequence, runId: held.runId };
  }

  async reportTraits(deadlineMs: number): Promise<void> {
    const body = methods.ReportTraits.body.encode({ traitsJson: this.#traits });
    await this.#call('ReportTraits', body.finish(), deadlineMs);
  }

  /** Ends the call under way when its deadline has passed. */
  expire(nowMs: number): void {
    this.#channel?.expire(nowMs);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  async #call(method: SignedMethodName, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    if (!this.#channel || this.#channel.closed) await this.connect();
    const channel = this.#channel;
    if (!channel) throw new CallError('DISCONNECTED', 'not connected');
    this.#sequence += 1;
    const header = {
      envoyId: this.#envoyId,
      timestampMs: Date.now(),
      sequence: this.#sequence,
      traceparent: '',
    };
    const request = this.#signer.sign(method, header, body);
    return channel.call(methods[method].path, envelope.encode(request).finish(), deadlineMs);
  }
}

function envoyIdBytes(identity: Identity): Uint8Array {
  const bytes = uuidToBytes(identity.envoyId);
  if (bytes) return bytes;
  throw new CallError('IDENTITY', `${identity.envoyId} is not a UUID`);
}
