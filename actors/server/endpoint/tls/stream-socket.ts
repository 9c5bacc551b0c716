import type { TLSSocket } from 'node:tls';
import type { PeerReader, PeerSocket } from './peer-socket.ts';

/** A connection whose records are Node's. */
export class StreamSocket implements PeerSocket {
  readonly #tls: TLSSocket;

  constructor(tls: TLSSocket) {
    this.#tls = tls;
  }

  /** Node's TLS holds the beginnings of records too, and does not tell. */
  get isHalfway(): boolean {
    return this.#tls.writableEnded && !this.#tls.closed;
  }

  get writable(): boolean {
    return this.#tls.writable;
  }

  get writableLength(): number {
    return this.#tls.writableLength;
  }

  readBy(reader: PeerReader): void {
    this.#tls.on('data', (bytes: Buffer) => reader.read(bytes));
    this.#tls.on('drain', () => reader.drained());
  }

  onceClosed(closed: () => void): void {
    if (this.#tls.closed) closed();
    else this.#tls.once('close', closed);
  }

  write(bytes: Uint8Array): void {
    this.#tls.write(bytes);
  }

  destroy(): void {
    this.#tls.destroy();
  }

  destroySoon(): void {
    this.#tls.destroySoon();
  }
}
