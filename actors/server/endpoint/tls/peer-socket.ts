import type { Wire } from '../http2/output.ts';

/** Who reads a connection. */
export interface PeerReader {
  /** What the peer said; the bytes are the reader's. */
  read(bytes: Buffer): void;
  /** What was written has been sent. */
  drained(): void;
}

/** An agent's connection after its handshake. */
export interface PeerSocket extends Wire {
  /** Before anything is read. */
  readBy(reader: PeerReader): void;
  /** Called once, also for a connection that is gone already. */
  onceClosed(closed: () => void): void;
}
