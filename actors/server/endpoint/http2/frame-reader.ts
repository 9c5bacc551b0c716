import { ConnectionFault } from './connection-fault.ts';
import {
  errorCode,
  flag,
  frameHeaderLength,
  frameLimit,
  frameType,
  preface,
  windowMax,
} from './frames.ts';

/** Takes one whole frame; false = nothing more is read. `payload` is valid during the call. */
export type FrameHandler = (type: number, flags: number, id: number, payload: Buffer) => boolean;

const nothing = Buffer.alloc(0);

/** Cuts what a client sends into frames, however it was split on its way. Throws ConnectionFault. */
export class FrameReader {
  /** The beginning of a frame whose rest has not come yet. */
  #rest: Buffer = nothing;
  #greeted = false;

  /** True while the peer owes the end of what it began. */
  get isHalfway(): boolean {
    return !this.#greeted || this.#rest.length > 0;
  }

  read(chunk: Buffer, handle: FrameHandler): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const from = this.#frames(bytes, handle);
    if (from === bytes.length) {
      this.#rest = nothing;
      return;
    }
    // A copy of its own: the chunk may be a small part of a large buffer.
    this.#rest = Buffer.allocUnsafeSlow(bytes.length - from);
    bytes.copy(this.#rest, 0, from);
  }

  /** Returns where the first unfinished frame begins. */
  #frames(bytes: Buffer, handle: FrameHandler): number {
    let at = 0;
    if (!this.#greeted) {
      at = greetingLength(bytes);
      this.#greeted = at > 0;
      if (!this.#greeted) return 0;
    }
    while (bytes.length - at >= frameHeaderLength) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      if (length > frameLimit) throw new ConnectionFault(errorCode.frameSize, 'a frame too large');
      const payload = at + frameHeaderLength;
      if (bytes.length - payload < length) break;
      const id = bytes.readUInt32BE(at + 5) & windowMax;
      const goOn = handle(
        bytes[at + 3]!,
        bytes[at + 4]!,
        id,
        bytes.subarray(payload, payload + length),
      );
      if (!goOn) return bytes.length;
      at = payload + length;
    }
    return at;
  }
}

/** Length of the preface once it is whole and settings follow it, else 0. */
function greetingLength(bytes: Buffer): number {
  const length = Math.min(bytes.length, preface.length);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) {
    throw new ConnectionFault(errorCode.protocol, 'not the preface of HTTP/2');
  }
  if (bytes.length < preface.length + frameHeaderLength) return 0;
  const type = bytes[preface.length + 3];
  const flags = bytes[preface.length + 4] ?? 0;
  if (type === frameType.settings && (flags & flag.ack) === 0) return preface.length;
  throw new ConnectionFault(errorCode.protocol, 'no settings at the beginning');
}
