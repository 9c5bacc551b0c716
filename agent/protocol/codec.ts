import { AgentError } from '../errors.ts';

/** What the code generator emits for each message. */
export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/**
 * Decodes untrusted bytes. Throws PROTOCOL_TOO_LARGE above `limit` bytes and PROTOCOL_MALFORMED for
 * anything that is not the message; never anything else.
 */
export function decodeMessage<T>(type: MessageType<T>, bytes: Uint8Array, limit: number): T {
  if (bytes.length > limit)
    throw new AgentError('PROTOCOL_TOO_LARGE', `${bytes.length} bytes, allowed are ${limit}`);
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw new AgentError('PROTOCOL_MALFORMED', cause instanceof Error ? cause.message : '', {
      cause,
    });
  }
}

/** Throws PROTOCOL_TOO_LARGE above `limit` bytes. */
export function encodeMessage<T>(type: MessageType<T>, message: T, limit: number): Uint8Array {
  const bytes = type.encode(message).finish();
  if (bytes.length > limit)
    throw new AgentError('PROTOCOL_TOO_LARGE', `${bytes.length} bytes, allowed are ${limit}`);
  return bytes;
}
