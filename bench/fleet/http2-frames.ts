/** The few frames of HTTP/2 (RFC 9113) that a client with one call at a time needs. */

export const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 0x1;
export const ack = 0x1;
export const endHeaders = 0x4;
export const frameHeaderLength = 9;
export const streamIdAt = 5;
/** Payload of one frame that every peer takes. */
export const frameLimit = 16_384;
const cancelCode = 8;
/** What we take before we give credit again. */
export const receiveWindow = 2 ** 30;
const defaultWindow = 65_535;

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderLength + payload.length);
  writeHeader(bytes, 0, { length: payload.length, type, flags, streamId });
  bytes.set(payload, frameHeaderLength);
  return bytes;
}

interface FrameHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

function writeHeader(target: Buffer, at: number, header: FrameHeader): void {
  target.writeUIntBE(header.length, at, 3);
  target[at + 3] = header.type;
  target[at + 4] = header.flags;
  target.writeUInt32BE(header.streamId, at + streamIdAt);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUInt32BE(value, bytes.writeUInt16BE(id));
  return bytes;
}

/** Preface, settings (no header table, no push, a large window) and the connection's window. */
export const greeting = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  frame(
    frameType.settings,
    0,
    0,
    Buffer.concat([setting(1, 0), setting(2, 0), setting(4, receiveWindow)]),
  ),
  frame(frameType.windowUpdate, 0, 0, uint32(receiveWindow - defaultWindow)),
]);

export const settingsAck = frame(frameType.settings, ack, 0);

export function cancelFrame(streamId: number): Buffer {
  return frame(frameType.resetStream, 0, streamId, uint32(cancelCode));
}

export function creditFrame(bytes: number): Buffer {
  return frame(frameType.windowUpdate, 0, 0, uint32(bytes));
}

/** One gRPC message as HEADERS and DATA frames, in one piece. */
export function requestFrames(streamId: number, head: Buffer, message: Uint8Array): Buffer {
  const prefixed = messagePrefix + message.length;
  const parts = Math.max(1, Math.ceil(prefixed / frameLimit));
  const bytes = Buffer.allocUnsafe(
    frameHeaderLength + head.length + parts * frameHeaderLength + prefixed,
  );
  const headers = { length: head.length, type: frameType.headers, flags: endHeaders, streamId };
  writeHeader(bytes, 0, headers);
  bytes.set(head, frameHeaderLength);
  let at = frameHeaderLength + head.length;
  for (let sent = 0, part = 1; part <= parts; part += 1) {
    const length = Math.min(frameLimit, prefixed - sent);
    const flags = part === parts ? endStream : 0;
    writeHeader(bytes, at, { length, type: frameType.data, flags, streamId });
    at += frameHeaderLength;
    if (part === 1) {
      bytes[at] = 0;
      bytes.writeUInt32BE(message.length, at + 1);
      bytes.set(message.subarray(0, length - messagePrefix), at + messagePrefix);
    } else bytes.set(message.subarray(sent - messagePrefix, sent - messagePrefix + length), at);
    at += length;
    sent += length;
  }
  return bytes;
}

/** Gives a request another stream, in place: all of its frames have it at the same place. */
export function onStream(request: Buffer, streamId: number): Buffer {
  for (let at = 0; at < request.length; at += frameHeaderLength + request.readUIntBE(at, 3)) {
    request.writeUInt32BE(streamId, at + streamIdAt);
  }
  return request;
}

/** gRPC's flag and length before a message. */
export const messagePrefix = 5;
