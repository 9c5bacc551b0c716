import { ConnectionFault } from './connection-fault.ts';
import { errorCode, flag, frameLimit, setting, windowMax } from './frames.ts';

const settingLength = 6;
const priorityLength = 5;
const frameSizeMax = 2 ** 24 - 1;

/** The payload without its padding. */
export function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & flag.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) {
    throw new ConnectionFault(errorCode.protocol, 'more padding than frame');
  }
  return payload.subarray(1, payload.length - padding);
}

/** The part of a header block in the payload of a HEADERS frame. */
export function headerBlockOf(flags: number, payload: Buffer): Buffer {
  const block = unpadded(flags, payload);
  if ((flags & flag.priority) === 0) return block;
  if (block.length < priorityLength) {
    throw new ConnectionFault(errorCode.frameSize, 'a priority cut short');
  }
  return block.subarray(priorityLength);
}

export function needLength(payload: Buffer, length: number): void {
  if (payload.length !== length) {
    throw new ConnectionFault(errorCode.frameSize, 'a frame of a length that it cannot have');
  }
}

export function needPriority(id: number, payload: Buffer): void {
  needLength(payload, priorityLength);
  if (id === 0) throw new ConnectionFault(errorCode.protocol, 'a priority of no stream');
}

/** What a peer may set that concerns a server which sends small frames and promises nothing. */
export interface PeerSettings {
  /** Bytes that a stream may send before it is given more. */
  window?: number;
  /** Bytes of the peer's header table. */
  tableSize?: number;
}

/** Checks all that a peer sets. */
export function readSettings(payload: Buffer): PeerSettings {
  if (payload.length % settingLength !== 0) {
    throw new ConnectionFault(errorCode.frameSize, 'settings cut short');
  }
  const settings: PeerSettings = {};
  for (let at = 0; at < payload.length; at += settingLength) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === setting.initialWindowSize) {
      if (value > windowMax) throw new ConnectionFault(errorCode.flowControl, 'a window too large');
      settings.window = value;
    } else if (id === setting.headerTableSize) {
      settings.tableSize = value;
    } else if (id === setting.enablePush && value > 1) {
      throw new ConnectionFault(errorCode.protocol, 'neither push nor no push');
    } else if (id === setting.maxFrameSize && (value < frameLimit || value > frameSizeMax)) {
      throw new ConnectionFault(errorCode.protocol, 'a frame size out of range');
    }
  }
  return settings;
}
