import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Where Node's TLS reads and writes instead of on a socket of its own. */
export class HandshakeWire extends Duplex {
  readonly #socket: Socket;
  readonly #written: (bytes: Buffer) => void;
  #isCut = false;
  #drained: (() => void) | undefined;

  /** `written` hears of what goes to the peer, before it does. */
  constructor(socket: Socket, written: (bytes: Buffer) => void) {
    super();
    this.#socket = socket;
    this.#written = written;
  }

  /** What came from the peer. Node's TLS has read it when this returns. */
  feed(bytes: Buffer): void {
    this.emit('data', bytes);
  }

  /** What Node's TLS writes from now on goes nowhere, and its end is not the connection's. */
  cut(): void {
    this.#isCut = true;
  }

  /** The socket has sent what it had. */
  drained(): void {
    const done = this.#drained;
    this.#drained = undefined;
    done?.();
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#isCut || this.#socket.destroyed) {
      done();
      return;
    }
    this.#written(bytes);
    if (this.#socket.write(bytes)) done();
    else this.#drained = done;
  }

  override _final(done: () => void): void {
    if (this.#isCut || this.#socket.destroyed) done();
    else this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isCut) this.#socket.destroy();
    done(error);
  }
}
