import { Socket } from 'node:net';

/** Who hears of an accepted TCP connection. */
export interface RawTaker {
  /** The bytes are the taker's only during this call. */
  came(bytes: Buffer): void;
  drained(): void;
  /** Told once. */
  closed(): void;
}

/** What Node.js holds of libuv, and how it makes a socket of it. */
interface Handle {
  readStart?: unknown;
}
interface HandleOptions {
  handle: Handle;
  onread: { buffer: Uint8Array; callback: (length: number, bytes: Uint8Array) => boolean };
}
type Handled = Socket & { _handle?: Handle | null };
const SocketOfHandle = Socket as unknown as new (options: HandleOptions) => Socket;

/** What Node.js reads into, for all connections of a thread: each uses it up before the next. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** An accepted TCP connection that is read into a buffer of the thread. */
export class RawSocket {
  readonly socket: Socket;
  #taker: RawTaker;

  /** `accepted`: not read yet (`pauseOnConnect`); it is not to be used any more. */
  constructor(accepted: Socket, taker: RawTaker) {
    this.#taker = taker;
    this.socket = this.#adopt(accepted);
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('drain', () => this.#taker.drained());
    this.socket.once('close', () => this.#taker.closed());
  }

  /** Who hears of it from now on. */
  takenBy(taker: RawTaker): void {
    this.#taker = taker;
  }

  /**
   * Node's `onread` saves a buffer per read, 4 of 25 us for an echo (perf/tls-floor.ts), and Node offers
   * it to clients only. So the connection is moved to a socket that is made with it, by a handle that
   * Node does not document. Where there is none of the shape that we know, the socket stays as it was.
   */
  #adopt(accepted: Handled): Socket {
    const handle = accepted._handle;
    if (typeof handle?.readStart !== 'function') {
      accepted.on('data', (bytes: Buffer) => this.#taker.came(bytes));
      accepted.resume();
      return accepted;
    }
    accepted._handle = null;
    const callback = (length: number, bytes: Uint8Array): boolean => {
      this.#taker.came((bytes as Buffer).subarray(0, length));
      return true;
    };
    const socket = new SocketOfHandle({ handle, onread: { buffer: readBuffer, callback } });
    // Without its handle it closes nothing, and its server no longer counts it.
    accepted.destroy();
    return socket;
  }
}
