import type { Codec } from '../../runtime/store.ts';
import type { IdentityRow } from './tables.ts';

const format = 1;
const keyLength = 32;
const at = { format: 0, revoked: 1, settled: 2, publicKey: 10, hostname: 10 + keyLength } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const unreadable: IdentityRow = {
  hostname: '',
  publicKey: new Uint8Array(keyLength),
  revoked: true,
  settledReportSequence: 0,
};

/**
 * A fixed layout: a publish reads the row of every envoy, and general decoding costs three times as
 * much. What cannot be read serves nobody, until the start writes it anew from SQL.
 */
export const identityCodec: Codec<IdentityRow> = {
  encode({ hostname, publicKey, revoked, settledReportSequence }) {
    const name = encoder.encode(hostname);
    const bytes = new Uint8Array(at.hostname + name.length);
    bytes[at.format] = format;
    bytes[at.revoked] = Number(revoked);
    new DataView(bytes.buffer).setFloat64(at.settled, settledReportSequence, true);
    bytes.set(publicKey.subarray(0, keyLength), at.publicKey);
    bytes.set(name, at.hostname);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length < at.hostname || bytes[at.format] !== format) return unreadable;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return {
      hostname: decoder.decode(bytes.subarray(at.hostname)),
      // The store lends its bytes; what is kept is a copy.
      publicKey: bytes.slice(at.publicKey, at.hostname),
      revoked: bytes[at.revoked] === 1,
      settledReportSequence: view.getFloat64(at.settled, true),
    };
  },
};
