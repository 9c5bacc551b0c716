import { defaultWindow, windowMax } from './frames.ts';
import { controlQueueLimit, socketQueueLimit } from './limits.ts';

/** A table of size 0 (RFC 7541, section 6.3), which is all that our blocks need. */
const noTable = Buffer.from([0x20]);

/** What a session needs of its TLS socket. */
export interface Wire {
  readonly writable: boolean;
  /** Bytes that wait to be sent. */
  readonly writableLength: number;
  /** True while the peer owes the end of a record. */
  readonly isHalfway: boolean;
  write(bytes: Uint8Array): unknown;
  destroy(): unknown;
  /** As `destroy`, once everything was sent. */
  destroySoon(): void;
}

/** The outgoing half of a connection: its window, and small frames gathered into one write. */
export class Output {
  readonly #socket: Wire;
  /** Body bytes that the peer takes on this connection. */
  window = defaultWindow;
  /** The peer changed the size of its header table, which the next block has to agree to. */
  owesTableSize = false;
  /** Present while frames are gathered. */
  #gathered: Buffer[] | undefined;
  #gatheredLength = 0;

  constructor(socket: Wire) {
    this.#socket = socket;
  }

  /** False while the socket has enough to send. */
  get hasRoom(): boolean {
    return this.#socket.writableLength + this.#gatheredLength < socketQueueLimit;
  }

  /** False when the peer overflows its own window. */
  addWindow(credit: number): boolean {
    this.window += credit;
    return this.window <= windowMax;
  }

  /** The block as it may be sent now; one for each HEADERS frame, in the order of sending. */
  block(packed: Buffer): Buffer {
    if (!this.owesTableSize) return packed;
    this.owesTableSize = false;
    return Buffer.concat([noTable, packed]);
  }

  write(frames: Buffer): void {
    if (this.#gathered !== undefined) {
      this.#gathered.push(frames);
      this.#gatheredLength += frames.length;
    } else if (this.#socket.writable) this.#socket.write(frames);
  }

  /** What is written until `flush` goes out as one. */
  gather(): void {
    this.#gathered = [];
  }

  /** False when the peer leaves more unread than it may. */
  flush(): boolean {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    if (gathered !== undefined && gathered.length > 0) {
      this.write(gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered));
    }
    return this.#socket.writableLength < controlQueueLimit + socketQueueLimit;
  }
}
