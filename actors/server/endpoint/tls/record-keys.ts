import { createHmac } from 'node:crypto';
import sodium from 'sodium-native';
import { alertCode, TlsAlert } from './alert.ts';

/** The only cipher of TLS 1.3 that the library has. */
export const cipherSuite = 'TLS_CHACHA20_POLY1305_SHA256';

export const recordHeaderLength = 5;
const tagLength = 16;
/** What a record may carry (RFC 8446, section 5.1). */
export const recordLimit = 16_384;
/** Sealed: content type and tag besides, and what padding is allowed. */
export const sealedLimit = recordLimit + 256;
/** What sealing adds to the content. */
export const sealOverhead = recordHeaderLength + 1 + tagLength;
/** Of a traffic secret: the output of the cipher's hash. */
export const secretLength = 32;
const keyLength = 32;
const nonceLength = 12;
const keyWords = keyLength / 4;
const nonceWords = nonceLength / 4;
const twoTo32 = 2 ** 32;

/** The content types of records. */
export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;

/** The last sealed record; only until the next one of this thread. */
export const sealed = Buffer.alloc(recordHeaderLength + sealedLimit);
/** The content of the last opened record; only until the next one of this thread. */
export const opened = Buffer.alloc(sealedLimit);

const plain = Buffer.alloc(recordLimit + 1);
const key = new Uint8Array(keyLength);
const nonce = new Uint8Array(nonceLength);
const keyView = new Uint32Array(key.buffer);
const nonceView = new DataView(nonce.buffer);
const nonceWordsView = new Uint32Array(nonce.buffer);
const header = Buffer.from([contentType.data, 3, 3, 0, 0]);

/** No check-in and no answer to one without a policy is longer. */
const usualLength = 1024;

/** Views of one buffer from one place on, made once for each of the usual lengths. */
export class Views {
  readonly #buffer: Buffer;
  readonly #from: number;
  readonly #known: (Buffer | undefined)[] = Array.from({ length: usualLength });

  constructor(buffer: Buffer, from: number) {
    this.#buffer = buffer;
    this.#from = from;
  }

  of(length: number): Buffer {
    const known = this.#known[length];
    if (known !== undefined) return known;
    const made = this.#buffer.subarray(this.#from, this.#from + length);
    if (length < usualLength) this.#known[length] = made;
    return made;
  }
}

const plainViews = new Views(plain, 0);
const sealedViews = new Views(sealed, recordHeaderLength);
const openedViews = new Views(opened, 0);

/** One direction of a TLS 1.3 connection after its handshake (RFC 8446, section 5.2). */
export class RecordKeys {
  /** The key, and behind it the nonce of the first record. Arrays so small lie on V8's heap, as long as
   * nobody asks for their buffer. */
  readonly #words = new Uint32Array(keyWords + nonceWords);
  readonly #secret = new Uint8Array(secretLength);
  #sequence = 0;

  /** `secret`: the traffic secret of this direction, as the handshake logs it. */
  constructor(secret: Uint8Array) {
    this.#derive(secret);
  }

  /** Records that were sealed, or opened. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The next keys of this direction, for what follows a KeyUpdate (RFC 8446, section 7.2). */
  update(): void {
    this.#derive(expandLabel(this.#secret, 'traffic upd', secretLength));
    this.#sequence = 0;
  }

  /** The first `count` records were sealed by somebody else. */
  skip(count: number): void {
    this.#sequence += count;
  }

  /** Makes a record of `bytes` from `from` to `to` in `sealed`, and returns its length. */
  seal(bytes: Uint8Array, from: number, to: number, type: number = contentType.data): number {
    const length = to - from;
    if (from === 0 && to === bytes.length) plain.set(bytes);
    else plain.set(bytes.subarray(from, to));
    plain[length] = type;
    const size = length + 1 + tagLength;
    this.#prepare(size);
    this.#sequence += 1;
    sealed.set(header);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      sealedViews.of(size),
      plainViews.of(length + 1),
      header,
      null,
      nonce,
      key,
    );
    return recordHeaderLength + size;
  }

  /**
   * Opens a record's payload into `opened`: returns the length of the content, behind which its type
   * stands. Throws TlsAlert when it is forged, or not of this connection, and counts it only then not.
   */
  open(payload: Uint8Array): number {
    const size = payload.length;
    if (size > sealedLimit) throw new TlsAlert(alertCode.recordOverflow, 'a record too large');
    if (size <= tagLength) throw new TlsAlert(alertCode.decodeError, 'a record without content');
    this.#prepare(size);
    const content = size - tagLength;
    const into = openedViews.of(content);
    try {
      const { crypto_aead_chacha20poly1305_ietf_decrypt: decrypt } = sodium;
      decrypt(into, null, payload, header, nonce, key);
    } catch {
      throw new TlsAlert(alertCode.badRecordMac, 'a record that was not sealed for this place');
    }
    this.#sequence += 1;
    let last = content - 1;
    while (last > 0 && opened[last] === 0) last -= 1;
    if (last > recordLimit) throw new TlsAlert(alertCode.recordOverflow, 'a record too large');
    return last;
  }

  #derive(secret: Uint8Array): void {
    this.#secret.set(secret);
    key.set(expandLabel(secret, 'key', keyLength));
    nonce.set(expandLabel(secret, 'iv', nonceLength));
    this.#words.set(keyView);
    this.#words.set(nonceWordsView, keyWords);
  }

  /** The key, this record's nonce, and its header go where the library reads them. */
  #prepare(size: number): void {
    const words = this.#words;
    for (let at = 0; at < keyWords; at += 1) keyView[at] = words[at] ?? 0;
    for (let at = 0; at < nonceWords; at += 1) nonceWordsView[at] = words[keyWords + at] ?? 0;
    const sequence = this.#sequence;
    nonceView.setUint32(4, (nonceView.getUint32(4) ^ Math.floor(sequence / twoTo32)) >>> 0);
    nonceView.setUint32(8, (nonceView.getUint32(8) ^ (sequence % twoTo32)) >>> 0);
    header[3] = size >> 8;
    header[4] = size & 0xff;
  }
}

/** HKDF-Expand-Label without a context (RFC 8446, section 7.1), up to 32 bytes. */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.from([0, length, name.length, ...name, 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}
