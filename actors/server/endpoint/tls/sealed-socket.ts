import { alertCode, alertContent, TlsAlert } from './alert.ts';
import type { PeerReader, PeerSocket } from './peer-socket.ts';
import type { RawSocket, RawTaker } from './raw-socket.ts';
import {
  contentType,
  opened,
  type RecordKeys,
  recordHeaderLength,
  recordLimit,
  sealed,
  sealOverhead,
} from './record-keys.ts';
import { RecordReader } from './record-reader.ts';

/** Records without data that may come until there was some; new keys cost half of a signature. */
const emptyRecordsMax = 32;
/** Bytes of data that prove that a peer is at something. */
const progressBytes = 16_384;
const keyUpdate = 24;
const keyUpdateLength = 5;

/**
 * A TLS 1.3 connection after its handshake whose records are our own (RFC 8446, sections 4.6.3, 5 and
 * 6): of a connection that rests, only the socket and two keys are held.
 */
export class SealedSocket implements PeerSocket, RawTaker {
  readonly #raw: RawSocket;
  readonly #receiving: RecordKeys;
  readonly #sending: RecordKeys;
  readonly #records = new RecordReader();
  #reader: PeerReader | undefined;
  #closed: (() => void)[] = [];
  #isClosed = false;
  /** Nothing is read or written any more. */
  #isOver = false;
  #emptyRecords = 0;
  #progress = 0;
  /** The peer has asked for new keys of ours. One answer serves all its asking (section 4.6.3). */
  #owesNewKeys = false;

  constructor(
    raw: RawSocket,
    keys: { readonly receiving: RecordKeys; readonly sending: RecordKeys },
  ) {
    this.#raw = raw;
    this.#receiving = keys.receiving;
    this.#sending = keys.sending;
  }

  get isHalfway(): boolean {
    const isEnding = this.#isOver || this.#raw.socket.writableEnded;
    return this.#records.isHalfway || (isEnding && !this.#isClosed);
  }

  get writable(): boolean {
    return !this.#isOver && this.#raw.socket.writable;
  }

  get writableLength(): number {
    return this.#raw.socket.writableLength;
  }

  readBy(reader: PeerReader): void {
    this.#reader = reader;
  }

  onceClosed(closed: () => void): void {
    if (this.#isClosed) closed();
    else this.#closed.push(closed);
  }

  write(bytes: Uint8Array): void {
    if (!this.writable || bytes.length === 0) return;
    this.#renewKeys();
    if (bytes.length <= recordLimit) {
      this.#send(bytes, contentType.data);
      return;
    }
    const count = Math.ceil(bytes.length / recordLimit);
    const records = Buffer.allocUnsafeSlow(bytes.length + count * sealOverhead);
    let at = 0;
    for (let from = 0; from < bytes.length; from += recordLimit) {
      const to = Math.min(bytes.length, from + recordLimit);
      at += sealed.copy(records, at, 0, this.#sending.seal(bytes, from, to));
    }
    this.#raw.socket.write(records);
  }

  destroy(): void {
    this.#isOver = true;
    this.#raw.socket.destroy();
  }

  destroySoon(): void {
    this.#end(alertCode.closeNotify);
  }

  came(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#records.read(bytes, this.#record);
    } catch (error) {
      if (!(error instanceof TlsAlert)) throw error;
      this.#end(error.code);
    }
  }

  drained(): void {
    this.#renewKeys();
    this.#reader?.drained();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isOver = true;
    this.#isClosed = true;
    for (const closed of this.#closed) closed();
    this.#closed = [];
  }

  readonly #record = (record: Buffer): boolean => {
    // A changed cipher is announced within a handshake only (section 5), and all else is sealed.
    if (record[0] !== contentType.data) throw unexpected();
    const length = this.#receiving.open(record.subarray(recordHeaderLength));
    const type = opened[length];
    if (length === 0 || type !== contentType.data) this.#countEmpty();
    if (type === contentType.data) {
      if (length > 0) this.#read(length);
    } else if (type === contentType.alert) this.#alert(length);
    else if (type === contentType.handshake) this.#newKeys(length);
    else throw unexpected();
    return !this.#isOver;
  };

  #read(length: number): void {
    this.#progress += length;
    if (this.#progress >= progressBytes) {
      this.#progress = 0;
      this.#emptyRecords = 0;
    }
    const bytes = Buffer.allocUnsafe(length);
    opened.copy(bytes, 0, 0, length);
    this.#reader?.read(bytes);
  }

  #countEmpty(): void {
    this.#emptyRecords += 1;
    if (this.#emptyRecords > emptyRecordsMax) throw unexpected();
  }

  /** All but the goodbye are errors of the peer's, after which nothing is said (section 6). */
  #alert(length: number): void {
    if (length !== 2) throw new TlsAlert(alertCode.decodeError, 'an alert of another length');
    if (opened[1] === alertCode.closeNotify) this.#end(alertCode.closeNotify);
    else this.destroy();
  }

  /** Of what may follow a handshake, clients may send this only: we ask for no other (section 4.6). */
  #newKeys(length: number): void {
    if (length === 0 || opened[0] !== keyUpdate) throw unexpected();
    const isWhole = length === keyUpdateLength && opened.readUIntBE(1, 3) === 1;
    const isAsked = opened[keyUpdateLength - 1];
    if (!isWhole || isAsked === undefined || isAsked > 1) {
      throw new TlsAlert(alertCode.decodeError, 'a KeyUpdate of another shape');
    }
    this.#receiving.update();
    if (isAsked === 0) return;
    this.#owesNewKeys = true;
    // A peer that asks without reading must not fill the queue.
    if (this.writableLength === 0) this.#renewKeys();
  }

  #renewKeys(): void {
    if (!this.#owesNewKeys || !this.writable) return;
    this.#owesNewKeys = false;
    this.#send(Buffer.from([keyUpdate, 0, 0, 1, 0]), contentType.handshake);
    this.#sending.update();
  }

  #end(alert: number): void {
    if (this.#isOver) return;
    if (this.writable) this.#send(alertContent(alert), contentType.alert);
    this.#isOver = true;
    this.#raw.socket.destroySoon();
  }

  #send(bytes: Uint8Array, type: number): void {
    const length = this.#sending.seal(bytes, 0, bytes.length, type);
    this.#raw.socket.write(Buffer.from(sealed.subarray(0, length)));
  }
}

function unexpected(): TlsAlert {
  return new TlsAlert(alertCode.unexpectedMessage, 'a record out of place');
}
