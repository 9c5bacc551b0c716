import type { TLSSocket } from 'node:tls';
import type { Clock, TimerHandle } from '../../../../runtime/ports/clock.ts';
import { handshakeTimeoutMs } from '../limits.ts';
import { TlsAlert } from './alert.ts';
import type { HandshakeEvents, HandshakeServer } from './handshake-server.ts';
import { HandshakeWire } from './handshake-wire.ts';
import type { PeerSocket } from './peer-socket.ts';
import type { RawSocket, RawTaker } from './raw-socket.ts';
import {
  cipherSuite,
  contentType,
  RecordKeys,
  recordHeaderLength,
  secretLength,
} from './record-keys.ts';
import { RecordReader } from './record-reader.ts';
import { SealedSocket } from './sealed-socket.ts';
import { StreamSocket } from './stream-socket.ts';

/** Records that a peer may shake hands with; it takes five. Each is a call of Node's TLS. */
const recordsMax = 64;
/** Bytes that a peer may send between its handshake and our taking note of it, one turn later. */
const earlyLimit = 1024 * 1024;

/** Who waits for a handshake. Of the two, one is called, once. */
export interface HandshakeSink {
  /**
   * Node's TLS knows who the peer is. `take` makes the connection, to be read at once; without it the
   * connection ends.
   */
  shaken(tls: TLSSocket, take: () => PeerSocket): void;
  failed(error: unknown): void;
}

/**
 * The handshake of an accepted connection, by Node's TLS (OpenSSL). When the cipher is the one that we
 * have too, the keys are taken from its key log and it is let go of: the records are our own from then on. With
 * another cipher Node's TLS keeps them.
 */
export class Handshake implements RawTaker, HandshakeEvents {
  readonly #raw: RawSocket;
  readonly #server: HandshakeServer;
  readonly #clock: Clock;
  readonly #sink: HandshakeSink;
  readonly #wire: HandshakeWire;
  readonly #timeout: TimerHandle;
  readonly #incoming = new RecordReader();
  readonly #outgoing = new RecordReader();
  #receiving: RecordKeys | undefined;
  /** Behind the records of the handshake, of which it opens none, it counts tickets. */
  #sending: RecordKeys | undefined;
  #tls: TLSSocket | undefined;
  #recordsLeft = recordsMax;
  #early: Buffer[] = [];
  #earlyLength = 0;
  #isOver = false;

  constructor(
    accepted: RawSocketMaker,
    server: HandshakeServer,
    clock: Clock,
    sink: HandshakeSink,
  ) {
    this.#server = server;
    this.#clock = clock;
    this.#sink = sink;
    this.#raw = accepted(this);
    this.#wire = new HandshakeWire(this.#raw.socket, (bytes) => this.#count(bytes));
    this.#wire.on('error', () => undefined);
    this.#timeout = clock.after(handshakeTimeoutMs, () => this.failed('ERR_TLS_HANDSHAKE_TIMEOUT'));
    server.begin(this.#wire, this);
  }

  came(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#tls !== undefined) this.#keep(bytes);
    else if (this.#incoming.isHalfway || isRecord(bytes)) this.#records(bytes);
    else this.#feed(bytes);
  }

  drained(): void {
    this.#wire.drained();
  }

  closed(): void {
    this.failed('ECONNRESET');
  }

  secret(line: string): void {
    const [label = '', , text = ''] = line.trim().split(' ');
    const secret = Buffer.from(text, 'hex');
    // Of another hash, and so of another cipher.
    if (secret.length !== secretLength) return;
    if (label === 'CLIENT_TRAFFIC_SECRET_0') this.#receiving = new RecordKeys(secret);
    if (label === 'SERVER_TRAFFIC_SECRET_0') this.#sending = new RecordKeys(secret);
  }

  secured(tls: TLSSocket): void {
    this.#tls = tls;
    tls.on('error', () => tls.destroy());
    // Our tickets are written in the same turn, after this event.
    this.#clock.soon(() => this.#finish(tls));
  }

  failed(error: unknown): void {
    if (this.#isOver) return;
    this.#over();
    this.#letGo();
    this.#raw.socket.destroy();
    this.#sink.failed(error);
  }

  /** A record of the handshake at a time: what follows the last one is not for Node's TLS. */
  #records(bytes: Buffer): void {
    let used = 0;
    try {
      used = this.#incoming.read(bytes, (record) => {
        this.#recordsLeft -= 1;
        const isEmpty = record.length === recordHeaderLength;
        if (isEmpty || this.#recordsLeft < 0) this.failed('too many records');
        else this.#feed(record);
        return this.#tls === undefined && !this.#isOver;
      });
    } catch (error) {
      if (!(error instanceof TlsAlert)) throw error;
      this.failed(error.message);
      return;
    }
    if (used < bytes.length && this.#tls !== undefined) this.#keep(bytes.subarray(used));
  }

  #feed(bytes: Buffer): void {
    this.#server.feed(this.#wire, bytes, this);
  }

  #keep(bytes: Buffer): void {
    this.#earlyLength += bytes.length;
    if (this.#earlyLength > earlyLimit) this.failed('too much at once');
    else this.#early.push(Buffer.from(bytes));
  }

  #count(bytes: Buffer): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    this.#outgoing.read(bytes, (record) => {
      if (record[0] === contentType.data) isOpenedBy(sending, record);
      return true;
    });
  }

  #finish(tls: TLSSocket): void {
    if (this.#isOver) return;
    if (tls.destroyed) {
      this.failed('ECONNRESET');
      return;
    }
    this.#over();
    let taken: { readonly socket: PeerSocket; readonly start: () => void } | undefined;
    this.#sink.shaken(tls, () => {
      taken ??= this.#take(tls);
      return taken.socket;
    });
    if (taken !== undefined) taken.start();
    else {
      this.#letGo();
      this.#raw.socket.destroy();
    }
  }

  #take(tls: TLSSocket): { readonly socket: PeerSocket; readonly start: () => void } {
    const receiving = this.#receiving;
    const sending = this.#sending;
    const isOurs = tls.getCipher().standardName === cipherSuite && !this.#outgoing.isHalfway;
    if (!isOurs || receiving === undefined || sending === undefined) return this.#handOver(tls);
    const socket = new SealedSocket(this.#raw, { receiving, sending });
    const start = () => {
      this.#letGo();
      this.#raw.takenBy(socket);
      for (const bytes of this.#early) socket.came(bytes);
      if (this.#raw.socket.destroyed) socket.closed();
    };
    return { socket, start };
  }

  /** Node's TLS goes on, on our wire. */
  #handOver(tls: TLSSocket): { readonly socket: PeerSocket; readonly start: () => void } {
    const wire = this.#wire;
    this.#sending = undefined;
    const start = () => {
      this.#raw.takenBy({
        came: (bytes) => wire.feed(bytes),
        drained: () => wire.drained(),
        closed: () => wire.destroy(),
      });
      for (const bytes of this.#early) wire.feed(bytes);
      if (this.#raw.socket.destroyed) wire.destroy();
    };
    return { socket: new StreamSocket(tls), start };
  }

  #over(): void {
    this.#isOver = true;
    this.#timeout.cancel();
  }

  /** Node's TLS and what it holds go. */
  #letGo(): void {
    this.#wire.cut();
    this.#tls?.destroy();
    this.#wire.destroy();
  }
}

/** Makes the connection, of which the taker hears. */
export type RawSocketMaker = (taker: RawTaker) => RawSocket;

/** Whatever else it is, Node's TLS knows better what to say to it. */
function isRecord(bytes: Buffer): boolean {
  const type = bytes[0] ?? 0;
  return type >= contentType.changeCipherSpec && type <= contentType.data;
}

function isOpenedBy(keys: RecordKeys, record: Buffer): boolean {
  try {
    keys.open(record.subarray(recordHeaderLength));
    return true;
  } catch (error) {
    if (error instanceof TlsAlert) return false;
    throw error;
  }
}
