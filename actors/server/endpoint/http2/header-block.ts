import { ConnectionFault } from './connection-fault.ts';
import { errorCode } from './frames.ts';
import { continuationLimit, headerBlockLimit } from './limits.ts';

/** The header block of one request while it comes in parts. */
export class HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly #parts: Buffer[];
  #length: number;

  constructor(streamId: number, endStream: boolean, first: Buffer) {
    this.streamId = streamId;
    this.endStream = endStream;
    this.#parts = [Buffer.from(first)];
    this.#length = first.length;
  }

  add(streamId: number, part: Buffer): void {
    if (streamId !== this.streamId) {
      throw new ConnectionFault(errorCode.protocol, 'the continuation of another stream');
    }
    this.#parts.push(Buffer.from(part));
    this.#length += part.length;
    if (this.#length > headerBlockLimit || this.#parts.length > continuationLimit + 1) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'a header block too large');
    }
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
