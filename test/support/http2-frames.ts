import { packHeaders } from '../../actors/server/endpoint/http2/header-encoder.ts';
import type { Header } from '../../actors/server/endpoint/http2/header-table.ts';

/** Frames of HTTP/2 as a client would send them, right or wrong. */
export function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(list: readonly (readonly [id: number, value: number])[]): Buffer {
  const entries = list.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), u32(value)]));
  return frame(4, 0, 0, Buffer.concat(entries));
}

export function data(id: number, body: Buffer, flags = 0): Buffer {
  return frame(0, flags, id, body);
}

interface HeadersOptions {
  readonly endStream?: boolean;
  /** Frames that the block is spread over. */
  readonly parts?: number;
  readonly padding?: number;
}

export function headers(
  id: number,
  block: Buffer | readonly Header[],
  { endStream = false, parts = 1, padding = 0 }: HeadersOptions = {},
): Buffer {
  const bytes = Buffer.isBuffer(block) ? block : packHeaders(block);
  const size = Math.ceil(bytes.length / parts);
  return Buffer.concat(
    Array.from({ length: parts }, (_, at) => {
      const part = bytes.subarray(at * size, (at + 1) * size);
      const isLast = at === parts - 1;
      if (at > 0) return frame(9, isLast ? 4 : 0, id, part);
      const flags = (endStream ? 1 : 0) | (isLast ? 4 : 0) | (padding > 0 ? 8 : 0);
      if (padding === 0) return frame(1, flags, id, part);
      return frame(
        1,
        flags,
        id,
        Buffer.concat([Buffer.from([padding]), part, Buffer.alloc(padding)]),
      );
    }),
  );
}

/** The preface, and settings that change nothing. */
export const greeted = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  settings([]),
]);

export const checkInHead = packHeaders([
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/vigo.v1.VigoAgent/CheckIn'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
]);

export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** Throws when the bytes are not whole frames. */
export function framesIn(bytes: Buffer): SentFrame[] {
  const frames: SentFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    if (payload.length !== length) throw new Error('half a frame');
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: bytes.readUInt32BE(at + 5),
      payload,
    });
    at += 9 + length;
  }
  return frames;
}
