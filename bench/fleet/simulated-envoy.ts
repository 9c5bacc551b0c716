import { randomUUID } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { hashLength, signatureLength } from '../../agent/protocol/crypto.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { envelope, methods, type SignedMethodName } from '../../agent/protocol/methods.ts';
import { RequestSigner } from '../../agent/protocol/request.ts';
import { uuidToBytes } from '../../agent/protocol/uuid.ts';
import { CallError } from './call-error.ts';
import { type CallSink, Channel } from './channel.ts';
import { type CheckInNews, CheckInReader } from './check-in-news.ts';
import {
  checkInBody,
  type HeldPolicy,
  rehearsalBody,
  reportBody,
  traitsDocument,
} from './envoy-bodies.ts';
import { contextOptions } from './handshake.ts';
import { requestFrames } from './http2-frames.ts';
import { requestHead } from './http2-headers.ts';
import { type Identity, seedOf } from './identities.ts';
import { SignedCheckIn } from './signed-check-in.ts';
import { type BenchSigner, signerOf } from './signing.ts';

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

/** Who waits for a check-in. Of the two, one is called, once. */
export interface CheckInSink {
  checkedIn(news: CheckInNews): void;
  failed(error: unknown): void;
}

/** Signatures of check-ins that were made before their time. */
interface Ahead {
  readonly signatures: Buffer;
  readonly count: number;
  /** Every second sequence is a check-in's; those between are for reports. */
  readonly firstSequence: number;
  readonly firstMs: number;
  readonly intervalMs: number;
  /** By check-in: 1 = a report follows, which the next check-in takes as acknowledged. */
  readonly isChanged: Uint8Array;
  /** The report that the next check-in names as the last. */
  lastReport: number;
  used: number;
}

const sequencesPerCheckIn = 2;

const reader = new CheckInReader();

/**
 * One envoy as the server sees it: own key, certificate, TLS connection and signatures. Its policy is
 * taken and not enforced. Like the agent it keeps a report until the server acknowledges it. Times
 * named `deadlineMs` are on the clock of `performance.now`.
 */
export class SimulatedEnvoy implements CallSink {
  readonly envoyId: string;
  readonly #envoyId: Uint8Array;
  readonly #benchSigner: BenchSigner;
  readonly #signer: RequestSigner;
  readonly #target: EnvoyTarget;
  readonly #identity: Identity;
  readonly #traits: Uint8Array;
  readonly #traitsHash: Uint8Array;
  #channel: Channel | undefined;
  /** Rises also across runs that use the same identities again. */
  #sequence = Date.now() * 1000;
  #policy: HeldPolicy = { policyVersion: 0, bundleRoot: new Uint8Array(), expiresAtMs: 0 };
  #lastReport = 0;
  #held: HeldReport | undefined;
  /** Made anew when what it says has changed. */
  #checkIn: SignedCheckIn | undefined;
  /** Another policy and requests that were not thought of make them void. */
  #ahead: Ahead | undefined;
  #session: Buffer | undefined;
  /** The connection carries one call at a time. */
  #isBusy = false;
  readonly #waiting: (() => void)[] = [];
  #checkInSink: CheckInSink | undefined;
  /** Connections opened so far. */
  connections = 0;
  /** Of these, those whose handshake was a short one. */
  resumed = 0;

  constructor(identity: Identity, target: EnvoyTarget) {
    this.envoyId = identity.envoyId;
    this.#envoyId = envoyIdBytes(identity);
    this.#benchSigner = signerOf(seedOf(identity.keyPem));
    this.#signer = new RequestSigner(this.#benchSigner);
    this.#target = target;
    this.#identity = identity;
    this.#traits = traitsDocument(identity.hostname);
    const hash = new Uint8Array(hashLength);
    this.#benchSigner.sha256Into(hash, this.#traits);
    this.#traitsHash = hash.slice(0, traitsHashLength);
  }

  /** The version that the envoy holds; 0 = none. */
  get policyVersion(): number {
    return this.#policy.policyVersion;
  }

  async connect(): Promise<void> {
    const session = this.#session;
    // Made anew: it holds 33 KB, and is needed for the handshake only.
    const context = createSecureContext({
      ...contextOptions,
      ca: this.#target.caPem,
      cert: this.#identity.certificatePem,
      key: this.#identity.keyPem,
    });
    this.#channel = await Channel.open({
      ...this.#target,
      context,
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

  /**
   * Signs the next check-ins; their time stamps are those at which they are due. `isChanged` is asked
   * for each whether a report follows it; see `changeAhead`.
   */
  signAhead(
    count: number,
    firstDueMs: number,
    intervalMs: number,
    isChanged: () => boolean = () => false,
  ): void {
    const ahead = {
      signatures: Buffer.allocUnsafeSlow(count * signatureLength),
      firstSequence: this.#sequence + 1,
      firstMs: firstDueMs,
      isChanged: new Uint8Array(count),
      lastReport: this.#lastReport,
      ...{ count, intervalMs, used: 0 },
    };
    let signed = this.#signedCheckIn();
    let lastReport = this.#lastReport;
    for (let at = 0; at < count; at += 1) {
      const target = ahead.signatures.subarray(at * signatureLength, (at + 1) * signatureLength);
      signed.sign(target, sequenceOf(ahead, at), timeOf(ahead, at));
      if (!isChanged()) continue;
      ahead.isChanged[at] = 1;
      lastReport += 1;
      signed = this.#checkInWith({ highest: lastReport, oldestHeld: lastReport + 1 });
    }
    this.#sequence += count * sequencesPerCheckIn;
    this.#ahead = ahead;
  }

  /** Whether a report is to follow the last check-in; undefined when it was not signed ahead. */
  get changeAhead(): boolean | undefined {
    const ahead = this.#ahead;
    return ahead === undefined || ahead.used === 0
      ? undefined
      : ahead.isChanged[ahead.used - 1] === 1;
  }

  /**
   * Begins a check-in without a promise: the sink hears of it, never before this has returned. False
   * when there is no connection or a call is under way: `checkIn` waits for both.
   */
  beginCheckIn(deadlineMs: number, sink: CheckInSink): boolean {
    const channel = this.#channel;
    if (this.#isBusy || channel === undefined || channel.closed) return false;
    this.#isBusy = true;
    this.#checkInSink = sink;
    channel.send(this.#checkInFrames(channel.nextStream), deadlineMs, this);
    return true;
  }

  /** Connects first where that is necessary. */
  async checkIn(deadlineMs: number): Promise<CheckInNews> {
    await this.#turn();
    const channel = await this.#connected().catch((error: unknown) => {
      this.#release();
      throw error;
    });
    return new Promise((resolve, reject) => {
      this.#checkInSink = { checkedIn: resolve, failed: reject };
      channel.send(this.#checkInFrames(channel.nextStream), deadlineMs, this);
    });
  }

  /** The answer to a check-in. */
  answered(bytes: Buffer, from: number, to: number): void {
    const sink = this.#checkInSink;
    let news: CheckInNews;
    try {
      news = reader.read(bytes, from, to);
      this.#heed(news);
    } catch (error) {
      this.#over();
      sink?.failed(error);
      return;
    }
    this.#over();
    sink?.checkedIn(news);
  }

  /** Of a check-in. */
  failed(error: CallError): void {
    const sink = this.#checkInSink;
    this.#checkIn?.leave();
    this.#over();
    sink?.failed(error);
  }

  /**
   * Sends the report that is still held, or a new one. Rejects with CallError REPORT_GAP when the
   * server expects an earlier one: nothing is acknowledged then.
   */
  report(deadlineMs: number): Promise<AcknowledgedReport> {
    return this.#sendReport(deadlineMs, (held) => reportBody(this.#policy, held));
  }

  /** Answers a plan's question: what the candidate would do, as a dry run tells it. */
  answerRehearsal(rehearsal: SignedRehearsal, deadlineMs: number): Promise<AcknowledgedReport> {
    return this.#sendReport(deadlineMs, (held) => rehearsalBody(this.#policy, held, rehearsal));
  }

  async reportTraits(deadlineMs: number): Promise<void> {
    const body = methods.ReportTraits.body.encode({ traitsJson: this.#traits });
    await this.#call('ReportTraits', body.finish(), deadlineMs);
  }

  /** Ends the call under way when its deadline has passed. */
  expire(nowMs: number): void {
    if (this.#isBusy) this.#channel?.expire(nowMs);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #heed({ bundle, settledReportSequence }: CheckInNews): void {
    const manifest = bundle?.manifest;
    if (manifest) {
      const { policyVersion, bundleRoot, expiresAtMs } = manifest;
      this.#policy = { policyVersion, bundleRoot: bundleRoot.slice(), expiresAtMs };
      this.#checkIn = undefined;
      this.#ahead = undefined;
    }
    if (settledReportSequence > this.#lastReport) {
      this.#lastReport = settledReportSequence;
      this.#held = undefined;
      this.#checkIn = undefined;
    }
  }

  #signedCheckIn(): SignedCheckIn {
    this.#checkIn ??= this.#checkInWith({
      highest: this.#lastReport,
      oldestHeld: this.#held?.sequence ?? this.#lastReport + 1,
    });
    return this.#checkIn;
  }

  #checkInWith(reports: { readonly highest: number; readonly oldestHeld: number }): SignedCheckIn {
    const body = checkInBody(this.#policy, this.#traitsHash, reports);
    return new SignedCheckIn(this.#envoyId, body, this.#benchSigner);
  }

  #checkInFrames(streamId: number): Buffer {
    const signed = this.#signedCheckIn();
    const ahead = this.#usableAhead();
    if (ahead === undefined) {
      this.#sequence += 1;
      return signed.frames(streamId, this.#sequence, Date.now());
    }
    const at = ahead.used;
    ahead.used += 1;
    if (ahead.isChanged[at] === 1) ahead.lastReport += 1;
    const stamp = { streamId, sequence: sequenceOf(ahead, at), timestampMs: timeOf(ahead, at) };
    return signed.framesSigned(stamp, ahead.signatures, at * signatureLength);
  }

  /** Only while everything came as it was thought when it was signed. */
  #usableAhead(): Ahead | undefined {
    const ahead = this.#ahead;
    if (ahead === undefined) return undefined;
    const isAsThought = ahead.lastReport === this.#lastReport && this.#held === undefined;
    if (!isAsThought || ahead.used === ahead.count) this.#ahead = undefined;
    return this.#ahead;
  }

  /** A report between two check-ins that were signed ahead has its sequence kept free. */
  #nextSequence(method: SignedMethodName): number {
    const ahead = this.#ahead;
    if (method === 'Report' && this.changeAhead === true && ahead !== undefined) {
      const at = ahead.used - 1;
      ahead.isChanged[at] = 0;
      return sequenceOf(ahead, at) + 1;
    }
    // Above theirs.
    this.#ahead = undefined;
    this.#sequence += 1;
    return this.#sequence;
  }

  async #sendReport(
    deadlineMs: number,
    bodyOf: (held: HeldReport) => Uint8Array,
  ): Promise<AcknowledgedReport> {
    this.#held ??= {
      sequence: this.#lastReport + 1,
      runId: newRunId(),
      startedAtMs: Date.now(),
    };
    const held = this.#held;
    this.#lastReport = held.sequence;
    this.#checkIn = undefined;
    const bytes = await this.#call('Report', bodyOf(held), deadlineMs);
    const { durableReportSequence } = methods.Report.response.decode(bytes);
    this.#checkIn = undefined;
    this.#held = undefined;
    if (durableReportSequence < held.sequence) {
      this.#lastReport = durableReportSequence;
      throw new CallError('REPORT_GAP', `the server has ${durableReportSequence}`);
    }
    return { sequence: held.sequence, runId: held.runId };
  }

  async #call(method: SignedMethodName, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    await this.#turn();
    try {
      const channel = await this.#connected();
      const times = { timestampMs: Date.now(), sequence: this.#nextSequence(method) };
      const header = { envoyId: this.#envoyId, ...times, traceparent: '' };
      const message = envelope.encode(this.#signer.sign(method, header, body)).finish();
      const head = requestHead(methods[method].path);
      return await new Promise((resolve, reject) => {
        channel.send(requestFrames(channel.nextStream, head, message), deadlineMs, {
          answered: (bytes, from, to) => resolve(Buffer.from(bytes.subarray(from, to))),
          failed: reject,
        });
      });
    } finally {
      this.#release();
    }
  }

  async #connected(): Promise<Channel> {
    if (!this.#channel || this.#channel.closed) await this.connect();
    if (this.#channel) return this.#channel;
    throw new CallError('DISCONNECTED', 'not connected');
  }

  async #turn(): Promise<void> {
    while (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isBusy = true;
  }

  #over(): void {
    this.#checkInSink = undefined;
    this.#release();
  }

  #release(): void {
    this.#isBusy = false;
    this.#waiting.shift()?.();
  }
}

function sequenceOf({ firstSequence }: Pick<Ahead, 'firstSequence'>, at: number): number {
  return firstSequence + at * sequencesPerCheckIn;
}

function timeOf(
  { firstMs, intervalMs }: Pick<Ahead, 'firstMs' | 'intervalMs'>,
  at: number,
): number {
  return Math.round(firstMs + at * intervalMs);
}

/** Node draws the bits of many UUIDs at once; `randomBytes` costs five times as much. */
function newRunId(): Buffer {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

function envoyIdBytes(identity: Identity): Uint8Array {
  const bytes = uuidToBytes(identity.envoyId);
  if (bytes) return bytes;
  throw new CallError('IDENTITY', `${identity.envoyId} is not a UUID`);
}
