/**
 * The files of one directory that the agent owns, by plain name. Failing writes reject with
 * AGENT_STATE_WRITE and leave the old content; failing reads with AGENT_STATE_READ.
 */
export interface StateFiles {
  /** For messages to people. */
  readonly directory: string;
  /** Undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces or creates the file as one step, durable when it resolves. Mode 0600 unless told. */
  replace(name: string, content: Uint8Array, mode?: number): Promise<void>;
  /** Writes at `offset`, cuts off what was behind it, durable when it resolves. Creates the file. */
  append(name: string, offset: number, content: Uint8Array): Promise<void>;
  readAt(name: string, offset: number, length: number): Promise<Uint8Array>;
  remove(name: string): Promise<void>;
  /** Permission bits; undefined when there is no such file. */
  mode(name: string): Promise<number | undefined>;
}
