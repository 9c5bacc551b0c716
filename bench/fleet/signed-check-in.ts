import { writeNumber } from '../../agent/protocol/canonical.ts';
import { hashLength, signatureLength } from '../../agent/protocol/crypto.ts';
import { protocolVersion } from '../../agent/protocol/limits.ts';
import { envelope, methods } from '../../agent/protocol/methods.ts';
import { RequestBytes } from '../../agent/protocol/request-bytes.ts';
import { frameHeaderLength, messagePrefix, requestFrames, streamIdAt } from './http2-frames.ts';
import { requestHead } from './http2-headers.ts';
import type { SignedAhead } from './signed-ahead.ts';
import type { BenchSigner } from './signing.ts';

const head = requestHead(methods.CheckIn.path);
const dataFrameAt = frameHeaderLength + head.length;
const messageAt = dataFrameAt + frameHeaderLength + messagePrefix;
/** From the end of the canonical bytes: the hash of the body, and numbers behind their lengths. */
const sequenceFromEnd = hashLength + 4 + 8;
const timestampFromEnd = sequenceFromEnd + 4 + 8;
const noSignature = new Uint8Array(signatureLength);
/** Of a signature on its way into a layout that may have to be made. */
const passing = new Uint8Array(signatureLength);
const twoTo32 = 2 ** 32;
/** One for all envoys of a thread. */
let layout: RequestBytes | undefined;

/**
 * An envoy's check-ins as they travel: laid out once, then only stream, time stamp, sequence and signature are
 * written into the same bytes, and now and then another body. The bytes are the server's until it has answered.
 */
export class SignedCheckIn {
  readonly #envoyId: Uint8Array;
  #body: Uint8Array;
  readonly #signer: BenchSigner;
  /** What is signed. */
  readonly #canonical: Uint8Array;
  readonly #canonicalView: DataView;
  /** The hash of the body is not there yet. */
  #isStale = false;
  #frames: Buffer = Buffer.alloc(0);
  #signature: Uint8Array = noSignature;
  #timestampAt = 0;
  #sequenceAt = 0;
  #bodyAt = 0;
  #sequenceLength = 0;

  constructor(envoyId: Uint8Array, body: Uint8Array, signer: BenchSigner) {
    this.#envoyId = envoyId;
    this.#body = body;
    this.#signer = signer;
    const parts = { envoyId, body, protocolVersion, timestampMs: 1, sequence: 1 };
    layout ??= new RequestBytes(signer);
    this.#canonical = layout.of('CheckIn', parts).slice();
    this.#canonicalView = new DataView(this.#canonical.buffer);
  }

  /** Frames of a request that is signed now. */
  frames(streamId: number, sequence: number, timestampMs: number): Buffer {
    const frames = this.#laidOut(streamId, sequence, timestampMs);
    this.sign(this.#signature, sequence, timestampMs);
    return frames;
  }

  /** Frames of a request that was signed before. */
  framesAhead(streamId: number, ahead: SignedAhead): Buffer {
    const { sequence, timestampMs } = ahead.takeCheckIn(passing);
    const frames = this.#laidOut(streamId, sequence, timestampMs);
    this.#signature.set(passing);
    return frames;
  }

  /** From now on they say that. */
  say(body: Uint8Array): void {
    if (body.length !== this.#body.length) this.leave();
    this.#body = body;
    this.#isStale = true;
    if (this.#sequenceLength > 0) this.#frames.set(body, this.#bodyAt);
  }

  /** `target`: 64 bytes. */
  sign(target: Uint8Array, sequence: number, timestampMs: number): void {
    const { length } = this.#canonical;
    if (this.#isStale) {
      this.#signer.sha256Into(this.#canonical.subarray(length - hashLength), this.#body);
      this.#isStale = false;
    }
    writeNumber(this.#canonicalView, length - timestampFromEnd, timestampMs);
    writeNumber(this.#canonicalView, length - sequenceFromEnd, sequence);
    this.#signer.signInto(target, this.#canonical);
  }

  /** The bytes may still be on their way: the next ones are others. */
  leave(): void {
    this.#sequenceLength = 0;
  }

  #laidOut(streamId: number, sequence: number, timestampMs: number): Buffer {
    if (varintLength(sequence) !== this.#sequenceLength) this.#layOut(sequence);
    const frames = this.#frames;
    frames.writeUInt32BE(streamId, streamIdAt);
    frames.writeUInt32BE(streamId, dataFrameAt + streamIdAt);
    frames.writeUInt32LE(timestampMs % twoTo32, this.#timestampAt);
    frames.writeUInt32LE(Math.floor(timestampMs / twoTo32), this.#timestampAt + 4);
    writeVarint(frames, this.#sequenceAt, sequence);
    return frames;
  }

  /** In the order of the fields: version, envoy, time stamp, sequence, body, signature. */
  #layOut(sequence: number): void {
    const fields = { protocolVersion, envoyId: this.#envoyId, timestampMs: 1, sequence };
    const parts = { ...fields, body: this.#body, signature: noSignature, traceparent: '' };
    const message = envelope.encode(parts).finish();
    this.#frames = requestFrames(1, head, message);
    this.#sequenceLength = varintLength(sequence);
    this.#timestampAt = messageAt + 2 + 2 + this.#envoyId.length + 1;
    this.#sequenceAt = this.#timestampAt + 8 + 1;
    this.#signature = this.#frames.subarray(this.#frames.length - signatureLength);
    this.#bodyAt = this.#frames.length - signatureLength - 2 - this.#body.length;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) length += 1;
  return length;
}

function writeVarint(target: Buffer, at: number, value: number): void {
  let left = value;
  let place = at;
  for (; left >= 128; left = Math.floor(left / 128)) {
    target[place] = (left % 128) | 0x80;
    place += 1;
  }
  target[place] = left;
}
