/** Frames of HTTP/2 (RFC 9113, section 4 and 6). */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Why a stream or a connection ends (RFC 9113, section 7). */
export const errorCode = {
  none: 0,
  protocol: 1,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const frameHeaderLength = 9;
/** Payload of one frame, both ways; the smallest limit that the protocol allows, and its default. */
export const frameLimit = 16_384;
/** Of a connection and of a stream, until it is told otherwise. */
export const defaultWindow = 65_535;
export const windowMax = 2 ** 31 - 1;

/** Writes the header of a frame; its payload begins at the returned place. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  target[at] = length >> 16;
  target[at + 1] = length >> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  return target.writeUInt32BE(streamId, at + 5);
}

function frameOf(length: number, type: number, flags: number, streamId: number): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderLength + length);
  writeFrameHeader(frame, 0, length, type, flags, streamId);
  return frame;
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const frame = frameOf(settings.length * 6, frameType.settings, 0, 0);
  let at = frameHeaderLength;
  for (const [id, value] of settings) at = frame.writeUInt32BE(value, frame.writeUInt16BE(id, at));
  return frame;
}

export const settingsAck = frameOf(0, frameType.settings, flag.ack, 0);

export function pingAck(payload: Uint8Array): Buffer {
  const frame = frameOf(payload.length, frameType.ping, flag.ack, 0);
  frame.set(payload, frameHeaderLength);
  return frame;
}

export function resetFrame(streamId: number, code: number): Buffer {
  const frame = frameOf(4, frameType.resetStream, 0, streamId);
  frame.writeUInt32BE(code, frameHeaderLength);
  return frame;
}

export function windowFrame(streamId: number, credit: number): Buffer {
  const frame = frameOf(4, frameType.windowUpdate, 0, streamId);
  frame.writeUInt32BE(credit, frameHeaderLength);
  return frame;
}

export function goAwayFrame(lastStreamId: number, code: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const frame = frameOf(8 + text.length, frameType.goAway, 0, 0);
  frame.writeUInt32BE(lastStreamId, frameHeaderLength);
  frame.writeUInt32BE(code, frameHeaderLength + 4);
  frame.set(text, frameHeaderLength + 8);
  return frame;
}
