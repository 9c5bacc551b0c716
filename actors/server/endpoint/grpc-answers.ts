import { encodeErrorDetail, errorDetailTrailer } from '../../../agent/protocol/error-detail.ts';
import { grpcStatus } from './grpc-status.ts';
import { packHeaders } from './http2/header-encoder.ts';
import type { RefusedCall } from './refusals.ts';

/** What gRPC puts before a message: whether it is compressed, and its length. */
export const messagePrefixLength = 5;
/** Bytes of the message of a status, before it is escaped. */
const statusTextLimit = 1024;
/** Longer ones are none. */
const traceparentLimit = 128;

const contentType = ['content-type', 'application/grpc'] as const;

/** The header block before every answer with a message. */
export const answerHead = packHeaders([[':status', '200'], contentType]);
/** The header block after it. */
export const answerTrailers = packHeaders([['grpc-status', String(grpcStatus.ok)]]);
/** The answer to what is not gRPC at all. */
export const notGrpc = packHeaders([[':status', '415']]);

/** A message as it travels. */
export function framedMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(messagePrefixLength + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, messagePrefixLength);
  return framed;
}

/** An answer that is headers only: status, words, and the trailer that programs read. */
export function refusalHead(call: RefusedCall, traceparent: string): Buffer {
  const { code, message, remedy, retryAfterMs, grpcStatus: status } = call;
  const trace = traceparent.length <= traceparentLimit ? traceparent : '';
  const detail = encodeErrorDetail({ code, message, remedy, retryAfterMs, traceparent: trace });
  return packHeaders([
    [':status', '200'],
    contentType,
    ['grpc-status', String(status)],
    ['grpc-message', escaped(`${code}: ${message}`)],
    [errorDetailTrailer, Buffer.from(detail).toString('base64')],
  ]);
}

export function plainRefusalHead(status: number, message: string): Buffer {
  return packHeaders([
    [':status', '200'],
    contentType,
    ['grpc-status', String(status)],
    ['grpc-message', escaped(message)],
  ]);
}

/** Percent-encoding of gRPC: what is not printable ASCII, and the percent sign. */
function escaped(text: string): string {
  const bytes = Buffer.from(text.slice(0, statusTextLimit));
  let result = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    result += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}
