import type { SignedBundle, SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { methods } from '../../agent/protocol/methods.ts';

/** What an envoy heeds of the answer to a check-in. */
export interface CheckInNews {
  readonly nextCheckInMs: number;
  readonly wantTraits: boolean;
  readonly settledReportSequence: number;
  readonly bundle: SignedBundle | undefined;
  readonly rehearsal: SignedRehearsal | undefined;
}

const fields = {
  protocolVersion: 0x08,
  nextCheckInMs: 0x10,
  wantTraits: 0x20,
  wantStream: 0x28,
  storeId: 0x31,
  settledReportSequence: 0x38,
} as const;

/** Reads the answers of one thread; `read` is called for each of them. */
export class CheckInReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #to = 0;

  /** Throws when the bytes are not a CheckInResponse. They are not needed afterwards. */
  read(bytes: Buffer, from: number, to: number): CheckInNews {
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
    // What the answer brings beside numbers is rare, and left to the contract's own decoder.
    return this.#quiet() ?? methods.CheckIn.response.decode(Buffer.from(bytes.subarray(from, to)));
  }

  #quiet(): CheckInNews | undefined {
    let nextCheckInMs = 0;
    let wantTraits = false;
    let settledReportSequence = 0;
    while (this.#at < this.#to) {
      const tag = this.#number();
      if (tag === fields.nextCheckInMs) nextCheckInMs = this.#number();
      else if (tag === fields.settledReportSequence) settledReportSequence = this.#number();
      else if (tag === fields.wantTraits) wantTraits = this.#number() !== 0;
      else if (tag === fields.protocolVersion || tag === fields.wantStream) this.#number();
      else if (tag === fields.storeId) this.#at += 8;
      else return undefined;
    }
    if (this.#at > this.#to) return undefined;
    const none = { bundle: undefined, rehearsal: undefined };
    return { nextCheckInMs, wantTraits, settledReportSequence, ...none };
  }

  #number(): number {
    let value = 0;
    for (let factor = 1; this.#at < this.#to; factor *= 128) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    this.#at = this.#to + 1;
    return 0;
  }
}
