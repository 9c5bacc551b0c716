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
  /** Check-ins that were signed before their time, encoded; any other request makes them void. */
  #ahead: Uint8Array[] = [];
  #session: Buffer | undefined;
  /** Settles with the call under way; the connection carries one at a time. */
  #underWay: Promise<void> | undefined;
  /** Connections opened so far. */
  connections = 0;
  /** Of these, those whose handshake was a short one. */
  resumed = 0;

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

  /** The version that the envoy holds; 0 = none. */
  get policyVersion(): number {
    return this.#policy.policyVersion;
  }

  async connect(): Promise<void> {
    const session = this.#session;
    this.#channel = await Channel.open({
      ...this.#target,
      context: this.#context,
      ...(session === undefined ? {} : { session }),
      onSession: (given) => {
        this.#session = given;
      },
    });
    this.connections += 1;
    if (this.#channel.resumed) this.resumed += 1;
  }

  /** The next handshake is a full one. */
  forgetSession(): void {
    this.#session = undefined;
  }

  /** Signs the next check-ins; their time stamps are those at which they are due. */
  signAhead(count: number, firstDueMs: number, intervalMs: number): void {
    const body = this.#body();
    this.#ahead = Array.from({ length: count }, (_, at) =>
      this.#signed('CheckIn', body, Math.round(firstDueMs + at * intervalMs)),
    );
  }

  async checkIn(deadlineMs: number): Promise<CheckInResponse> {
    const bytes = await this.#call('CheckIn', this.#body(), deadlineMs);
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

  #body(): Uint8Array {
    if (this.#checkInBody !== undefined) return this.#checkInBody;
    this.#ahead = [];
    this.#checkInBody = checkInBody(this.#policy, this.#traitsHash, {
      highest: this.#lastReport,
      oldestHeld: this.#held?.sequence ?? this.#lastReport + 1,
    });
    return this.#checkInBody;
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
    while (this.#underWay !== undefined) await this.#underWay;
    const call = this.#exchange(method, body, deadlineMs);
    const over = () => {
      this.#underWay = undefined;
    };
    this.#underWay = call.then(over, over);
    return call;
  }

  async #exchange(
    method: SignedMethodName,
    body: Uint8Array,
    deadlineMs: number,
  ): Promise<Uint8Array> {
    if (!this.#channel || this.#channel.closed) await this.connect();
    const channel = this.#channel;
    if (!channel) throw new CallError('DISCONNECTED', 'not connected');
    return channel.call(methods[method].path, this.#request(method, body), deadlineMs);
  }

  #request(method: SignedMethodName, body: Uint8Array): Uint8Array {
    const ahead = method === 'CheckIn' ? this.#ahead.shift() : undefined;
    if (ahead !== undefined) return ahead;
    // Its sequence is above theirs.
    this.#ahead = [];
    return this.#signed(method, body, Date.now());
  }

  #signed(method: SignedMethodName, body: Uint8Array, timestampMs: number): Uint8Array {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const header = { envoyId: this.#envoyId, timestampMs, sequence, traceparent: '' };
    return envelope.encode(this.#signer.sign(method, header, body)).finish();
  }
}

function envoyIdBytes(identity: Identity): Uint8Array {
  const bytes = uuidToBytes(identity.envoyId);
  if (bytes) return bytes;
  throw new CallError('IDENTITY', `${identity.envoyId} is not a UUID`);
}
