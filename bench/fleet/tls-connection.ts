import { writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { TlsAlert } from '../../actors/server/endpoint/tls/alert.ts';
import {
  contentType,
  opened,
  type RecordKeys,
  recordHeaderLength,
  recordLimit,
  sealed,
  Views,
} from '../../actors/server/endpoint/tls/record-keys.ts';
import { CallError } from './call-error.ts';
import { type Agreed, Handshake, type HandshakeOptions } from './handshake.ts';

const connectTimeoutMs = 10_000;
/** A server that has sent more than this has no ticket for us. */
const recordsToTicketMax = 16;

export interface ConnectTarget extends HandshakeOptions {
  readonly host: string;
  readonly port: number;
}

/** Who reads a connection. */
export interface ConnectionSink {
  /** Bytes from 0 to `length`, only during this call. */
  read(bytes: Buffer, length: number): void;
  /** Nothing comes any more; told once. */
  ended(): void;
}

/** A socket of Node.js, and what it holds of libuv: null once it is destroyed. */
type SocketWithHandle = Socket & { readonly _handle?: { readonly fd?: number } | null };

/** What Node.js reads into, for all connections of a thread: each reads it up before the next. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);
/** Most reads bring one record. */
const firstPayload = new Views(readBuffer, recordHeaderLength);

/**
 * A TLS 1.3 connection whose handshake is Node's and whose records are our own: of a connection that
 * rests, only the socket and two keys are held, and a request is sealed and written in one step, past
 * Node's streams.
 */
export class TlsConnection {
  readonly #socket: SocketWithHandle;
  /** Of the socket; -1 when Node does not tell it. */
  #file = -1;
  /** Node's streams may still have something to write. Asking them costs several cache lines. */
  #isQueued = true;
  #handshake: Handshake | undefined;
  #sending: RecordKeys | undefined;
  #receiving: RecordKeys | undefined;
  /** The beginning of a record whose rest has not come yet. */
  #rest: Buffer | undefined;
  #sink: ConnectionSink | undefined;
  #resumed = false;
  #recordsToTicket = recordsToTicketMax;

  private constructor(host: string, port: number) {
    const callback = (length: number, bytes: Uint8Array): boolean => {
      this.#came(bytes as Buffer, length);
      return true;
    };
    const onread = { buffer: readBuffer, callback };
    this.#socket = connect({ host, port, noDelay: true, onread });
  }

  /** Rejects with CallError CONNECT_TIMEOUT, CONNECT, or CONNECT_ and the system's code. */
  static open(target: ConnectTarget): Promise<TlsConnection> {
    const connection = new TlsConnection(target.host, target.port);
    return new Promise((resolve, reject) => {
      const failed = (code: string, message: string) => {
        connection.destroy();
        reject(new CallError(code, message));
      };
      connection.#begin(target, {
        agreed: () => resolve(connection),
        failed,
      });
    });
  }

  /** The handshake was a short one. */
  get resumed(): boolean {
    return this.#resumed;
  }

  /** Before anything else. */
  readBy(sink: ConnectionSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket._handle || this.#sending === undefined) return;
    for (let from = 0; from < bytes.length; from += recordLimit) {
      const to = Math.min(bytes.length, from + recordLimit);
      this.#send(this.#sending.seal(bytes, from, to));
    }
  }

  destroy(): void {
    this.#letGo();
    this.#socket.destroy();
  }

  #begin(
    target: ConnectTarget,
    told: { agreed: () => void; failed: (code: string, message: string) => void },
  ): void {
    const socket = this.#socket;
    const failed = (error: Error) => told.failed(connectCode(error), error.message);
    const closed = () => told.failed('CONNECT', 'closed during the handshake');
    socket.setTimeout(connectTimeoutMs, () => told.failed('CONNECT_TIMEOUT', 'no handshake'));
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once('connect', () => {
      const agreed = (keys: Agreed) => {
        socket.setTimeout(0);
        socket.removeAllListeners('timeout');
        socket.removeListener('error', failed);
        socket.removeListener('close', closed);
        this.#agreed(keys);
        told.agreed();
      };
      this.#handshake = new Handshake(socket, target, {
        agreed,
        failed,
        given: () => this.#letGo(),
      });
    });
  }

  #agreed({ sending, receiving, resumed }: Agreed): void {
    const socket = this.#socket;
    this.#sending = sending;
    this.#receiving = receiving;
    this.#resumed = resumed;
    this.#file = socket._handle?.fd ?? -1;
    socket.on('error', () => this.destroy());
    socket.once('close', () => {
      this.#letGo();
      this.#sink?.ended();
    });
  }

  #letGo(): void {
    this.#handshake?.end();
    this.#handshake = undefined;
  }

  /** What lies in `sealed`. Node's streams serve only a socket that takes no more at once. */
  #send(length: number): void {
    const socket = this.#socket;
    let written = 0;
    if (this.#isQueued) this.#isQueued = socket.writableLength > 0;
    if (this.#file >= 0 && !this.#isQueued) {
      try {
        written = writeSync(this.#file, sealed, 0, length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.destroy();
          return;
        }
      }
      if (written === length) return;
    }
    this.#isQueued = true;
    socket.write(Buffer.from(sealed.subarray(written, length)));
  }

  #came(chunk: Buffer, length: number): void {
    const handshake = this.#handshake;
    if (handshake !== undefined && !handshake.isOver) {
      handshake.feed(chunk.subarray(0, length));
      return;
    }
    const rest = this.#rest;
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk.subarray(0, length)]);
    const last = rest === undefined ? length : bytes.length;
    const at = this.#receiving === undefined ? 0 : this.#records(bytes, last);
    this.#rest = at === last ? undefined : Buffer.from(bytes.subarray(at, last));
  }

  /** Returns where the first record begins that is not there as a whole. */
  #records(bytes: Buffer, last: number): number {
    let at = 0;
    while (last - at >= recordHeaderLength) {
      const end = at + recordHeaderLength + bytes.readUInt16BE(at + 3);
      if (end > last) break;
      try {
        this.#record(bytes, at, end);
      } catch (error) {
        if (!(error instanceof TlsAlert)) throw error;
        this.destroy();
        return last;
      }
      if (!this.#socket._handle) return last;
      at = end;
    }
    return at;
  }

  #record(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at];
    if (type !== contentType.data || this.#receiving === undefined) {
      if (type !== contentType.changeCipherSpec) this.destroy();
      return;
    }
    const from = at + recordHeaderLength;
    const isFirst = at === 0 && bytes === readBuffer;
    const payload = isFirst ? firstPayload.of(end - from) : bytes.subarray(from, end);
    const length = this.#receiving.open(payload);
    const content = opened[length];
    if (this.#handshake !== undefined) this.#tell(bytes.subarray(at, end));
    if (content === contentType.data) this.#sink?.read(opened, length);
    else if (content !== contentType.handshake || !isTicket()) this.destroy();
  }

  /** Node's TLS makes a session of a ticket, when it has read each record before it. */
  #tell(record: Buffer): void {
    this.#recordsToTicket -= 1;
    if (this.#recordsToTicket < 0) this.#letGo();
    else this.#handshake?.feed(record);
  }
}

/** NewSessionTicket; an update of keys, which servers ask for after 2^24 records, is not ours. */
function isTicket(): boolean {
  const newSessionTicket = 4;
  return opened[0] === newSessionTicket;
}

/** "CONNECT_ECONNREFUSED" and the like, so that a report tells a full backlog from a dead server. */
function connectCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? 'CONNECT' : `CONNECT_${code}`;
}
