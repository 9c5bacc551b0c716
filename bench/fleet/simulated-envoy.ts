import { randomUUID } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { hashLength } from '../../agent/protocol/crypto.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { envelope, methods } from '../../agent/protocol/methods.ts';
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
import { onStream, requestFrames } from './http2-frames.ts';
import { requestHead } from './http2-headers.ts';
import { type Identity, seedOf } from './identities.ts';
import {
  type AheadPlan,
  type ReportAhead,
  type ReportName,
  SignedAhead,
  type Stamp,
} from './signed-ahead.ts';
import { SignedCheckIn } from './signed-check-in.ts';
import { type BenchSigner, signerOf } from './signing.ts';

const traitsHashLength = 16;
const heads = {
  Report: requestHead(methods.Report.path),
  ReportTraits: requestHead(methods.ReportTraits.path),
} as const;

export interface EnvoyTarget {
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
}

/** A report that the server has promised to keep. */
export interface AcknowledgedReport {
  readonly sequence: number;
  /** 16 bytes. */
  readonly runId: Uint8Array;
}

/** Who waits for a check-in. Of the two, one is called, once. */
export interface CheckInSink {
  checkedIn(news: CheckInNews): void;
  failed(error: unknown): void;
}

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
  #held: ReportName | undefined;
  readonly #checkIn: SignedCheckIn;
  /** There is news that it does not say yet. */
  #hasNews = false;
  /** Another policy and requests that were not thought of make them void. */
  #ahead: SignedAhead | undefined;
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
    this.#checkIn = new SignedCheckIn(this.#envoyId, this.#bodyNow(), this.#benchSigner);
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
   * Signs the next check-ins, and the reports between them up to `reportsMax`; their time stamps are those at
   * which the check-ins are due. `isChanged` is asked for each whether a report follows it; see `changeAhead`.
   */
  signAhead(plan: Omit<AheadPlan, 'firstSequence' | 'lastReport'>): void {
    const begin = { firstSequence: this.#sequence + 1, lastReport: this.#lastReport };
    const signed = new SignedCheckIn(this.#envoyId, this.#bodyNow(), this.#benchSigner);
    let named = this.#lastReport;
    this.#ahead = new SignedAhead(
      { ...plan, ...begin },
      {
        checkIn: (target, { sequence, timestampMs }, lastReport) => {
          if (lastReport !== named) signed.say(this.#bodyWith(lastReport, lastReport + 1));
          named = lastReport;
          signed.sign(target, sequence, timestampMs);
        },
        report: (name, stamp) => this.#request('Report', reportBody(this.#policy, name), stamp),
        newRunId,
      },
    );
    this.#sequence = this.#ahead.endSequence;
  }

  /** Whether a report is to follow the last check-in; undefined when it was not signed ahead. */
  get changeAhead(): boolean | undefined {
    return this.#ahead?.isChanged;
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
    this.#checkIn.leave();
    this.#over();
    sink?.failed(error);
  }

  /**
   * Sends the report that is still held, or a new one. Rejects with CallError REPORT_GAP when the
   * server expects an earlier one: nothing is acknowledged then.
   */
  report(deadlineMs: number): Promise<AcknowledgedReport> {
    const bodyOf = (held: ReportName) => reportBody(this.#policy, held);
    return this.#sendReport(bodyOf, deadlineMs, this.#reportAhead());
  }

  /** Answers a plan's question: what the candidate would do, as a dry run tells it. */
  answerRehearsal(rehearsal: SignedRehearsal, deadlineMs: number): Promise<AcknowledgedReport> {
    return this.#sendReport((held) => rehearsalBody(this.#policy, held, rehearsal), deadlineMs);
  }

  async reportTraits(deadlineMs: number): Promise<void> {
    const body = methods.ReportTraits.body.encode({ traitsJson: this.#traits }).finish();
    await this.#call((streamId) => {
      const stamp = { sequence: this.#nextSequence(), timestampMs: Date.now() };
      return this.#request('ReportTraits', body, stamp, streamId);
    }, deadlineMs);
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
      this.#hasNews = true;
      this.#ahead = undefined;
    }
    if (settledReportSequence > this.#lastReport) {
      this.#lastReport = settledReportSequence;
      this.#held = undefined;
      this.#hasNews = true;
    }
  }

  #bodyNow(): Uint8Array {
    return this.#bodyWith(this.#lastReport, this.#held?.sequence ?? this.#lastReport + 1);
  }

  #bodyWith(highest: number, oldestHeld: number): Uint8Array {
    return checkInBody(this.#policy, this.#traitsHash, { highest, oldestHeld });
  }

  #checkInFrames(streamId: number): Buffer {
    if (this.#hasNews) this.#checkIn.say(this.#bodyNow());
    this.#hasNews = false;
    const isAsThought = this.#held === undefined && this.#ahead?.holds(this.#lastReport) === true;
    if (!isAsThought) this.#ahead = undefined;
    if (this.#ahead !== undefined) return this.#checkIn.framesAhead(streamId, this.#ahead);
    this.#sequence += 1;
    return this.#checkIn.frames(streamId, this.#sequence, Date.now());
  }

  /** Of a report between two check-ins that were signed ahead. */
  #reportAhead(): ReportAhead | undefined {
    const ahead = this.#held === undefined ? this.#ahead?.report : undefined;
    return ahead?.name.sequence === this.#lastReport + 1 ? ahead : undefined;
  }

  async #sendReport(
    bodyOf: (held: ReportName) => Uint8Array,
    deadlineMs: number,
    ahead?: ReportAhead,
  ): Promise<AcknowledgedReport> {
    this.#held ??= ahead?.name ?? newReport(this.#lastReport + 1);
    const held = this.#held;
    this.#lastReport = held.sequence;
    this.#hasNews = true;
    const bytes = await this.#call((streamId) => {
      const isAhead = ahead !== undefined && ahead === this.#ahead?.report;
      const sequence = this.#ahead?.takeReport() ?? this.#nextSequence();
      if (isAhead) return onStream(ahead.frames, streamId);
      return this.#request('Report', bodyOf(held), { sequence, timestampMs: Date.now() }, streamId);
    }, deadlineMs);
    const { durableReportSequence } = methods.Report.response.decode(bytes);
    this.#hasNews = true;
    this.#held = undefined;
    if (durableReportSequence < held.sequence) {
      this.#lastReport = durableReportSequence;
      throw new CallError('REPORT_GAP', `the server has ${durableReportSequence}`);
    }
    return { sequence: held.sequence, runId: held.runId };
  }

  /** Above those that were signed ahead, which is their end. */
  #nextSequence(): number {
    this.#ahead = undefined;
    this.#sequence += 1;
    return this.#sequence;
  }

  #request(
    method: 'Report' | 'ReportTraits',
    body: Uint8Array,
    stamp: Stamp,
    streamId = 1,
  ): Buffer {
    const header = { envoyId: this.#envoyId, ...stamp, traceparent: '' };
    const message = envelope.encode(this.#signer.sign(method, header, body)).finish();
    return requestFrames(streamId, heads[method], message);
  }

  /** `framesOf` is called when it is this call's turn. */
  async #call(framesOf: (streamId: number) => Buffer, deadlineMs: number): Promise<Uint8Array> {
    await this.#turn();
    try {
      const channel = await this.#connected();
      return await new Promise((resolve, reject) => {
        channel.send(framesOf(channel.nextStream), deadlineMs, {
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

/** Node draws the bits of many UUIDs at once; `randomBytes` costs five times as much. */
function newRunId(): Buffer {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
}

function newReport(sequence: number): ReportName {
  return { sequence, runId: newRunId(), startedAtMs: Date.now() };
}

function envoyIdBytes(identity: Identity): Uint8Array {
  const bytes = uuidToBytes(identity.envoyId);
  if (bytes) return bytes;
  throw new CallError('IDENTITY', `${identity.envoyId} is not a UUID`);
}
