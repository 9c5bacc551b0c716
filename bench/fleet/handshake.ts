import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { cipherSuite, RecordKeys } from '../../actors/server/endpoint/tls/record-keys.ts';
import { CallError } from './call-error.ts';

export interface HandshakeOptions {
  readonly context: SecureContext;
  /** A TLS session of before, to be resumed. */
  readonly session?: Buffer;
  /** A session that may be resumed later. */
  readonly onSession?: (session: Buffer) => void;
}

/** What a handshake leaves. */
export interface Agreed {
  readonly sending: RecordKeys;
  readonly receiving: RecordKeys;
  /** It was a short one. */
  readonly resumed: boolean;
}

/** Who waits for the end of a handshake. */
interface HandshakeSink {
  agreed(keys: Agreed): void;
  failed(error: Error): void;
  /** A session was given; what comes later need not be fed any more. */
  given(): void;
}

/** Where Node's TLS reads and writes while hands are shaken. */
class Wire extends Duplex {
  readonly #socket: Socket;
  isCut = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!(this.isCut || this.#socket.destroyed)) this.#socket.write(chunk);
    done();
  }
}

/**
 * The handshake of a TCP connection, by Node's TLS: both certificates, ALPN, a session resumed. The keys
 * that come of it are taken from its key log, so that the 100 KB and the layers of streams which Node
 * holds per TLS connection go, and only the records are our own.
 */
export class Handshake {
  readonly #wire: Wire;
  readonly #tls: TLSSocket;
  readonly #secrets = new Map<string, Buffer>();
  #isOver = false;

  constructor(
    socket: Socket,
    { context, session, onSession }: HandshakeOptions,
    told: HandshakeSink,
  ) {
    this.#wire = new Wire(socket);
    this.#tls = connectTls({
      socket: this.#wire,
      secureContext: context,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
      ...(session === undefined ? {} : { session }),
    });
    this.#tls.on('keylog', (line) => this.#log(line.toString('latin1')));
    this.#tls.once('session', (given) => {
      onSession?.(given);
      // Not in the midst of what Node's TLS is at.
      setImmediate(() => told.given());
    });
    this.#tls.resume();
    this.#tls.on('error', told.failed);
    this.#tls.once('secureConnect', () => {
      this.#isOver = true;
      // Our last flight is written in the same turn, after this event.
      setImmediate(() => this.#finish(told));
    });
  }

  /** What comes now is sealed with keys that follow in the same turn of the event loop. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What came over the connection; the bytes are not needed afterwards. */
  feed(bytes: Uint8Array): void {
    this.#wire.push(Buffer.from(bytes));
  }

  /** Nothing is written any more, and what it held is given up. */
  end(): void {
    this.#wire.isCut = true;
    this.#tls.destroy();
  }

  #finish(told: HandshakeSink): void {
    const sending = this.#secrets.get('CLIENT_TRAFFIC_SECRET_0');
    const receiving = this.#secrets.get('SERVER_TRAFFIC_SECRET_0');
    this.#secrets.clear();
    if (sending === undefined || receiving === undefined || this.#tls.destroyed) {
      told.failed(new CallError('TLS', 'the handshake left no keys'));
      return;
    }
    this.#wire.isCut = true;
    told.agreed({
      sending: new RecordKeys(sending),
      receiving: new RecordKeys(receiving),
      resumed: this.#tls.isSessionReused(),
    });
  }

  #log(line: string): void {
    const [label = '', , secret = ''] = line.trim().split(' ');
    this.#secrets.set(label, Buffer.from(secret, 'hex'));
  }
}

/** How every simulated envoy's context differs from Node's usual one. */
export const contextOptions = { minVersion: 'TLSv1.3', ciphers: cipherSuite } as const;
