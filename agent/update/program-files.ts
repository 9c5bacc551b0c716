/**
 * The installed versions of the agent (docs/install.md, "Layout"): one directory per version in one
 * program directory, and a link `current` that names the one that the init system starts. Names are
 * relative to the program directory. Writes are durable when they resolve; failures are AgentErrors.
 */
export interface ProgramFiles {
  /** For messages and scripts: the program directory, absolute. */
  readonly directory: string;
  /** What `current` names; undefined when this is no installed layout. */
  current(): Promise<string | undefined>;
  /** Makes `current` name another directory, as one step. */
  pointTo(name: string): Promise<void>;
  /** Content of a small file; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
  /** Replaces the file as one step; makes its directory. */
  write(path: string, content: string, mode: number): Promise<void>;
  /** Bytes of a file; 0 when there is none. */
  size(path: string): Promise<number>;
  /** Writes at `offset` and cuts off what was behind it. */
  append(path: string, offset: number, data: Uint8Array): Promise<void>;
  /** SHA-256 of a file. */
  hash(path: string): Promise<Uint8Array>;
  /**
   * Unpacks gzip into a new executable file; at most `limit` bytes. Rejects with AGENT_UPDATE_HASH
   * when it is longer, or no gzip.
   */
  unpack(from: string, to: string, limit: number, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole directory; nothing when it is not there. */
  remove(path: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Runs a program of a version to its end. */
  run(path: string, argv: readonly string[], timeoutMs: number): Promise<ProgramEnd>;
}

export interface ProgramEnd {
  /** -1 when it could not be started or was stopped. */
  readonly exitCode: number;
  readonly output: string;
}

/** The name of the program in each version's directory. */
export const programName = 'vigo';
/** The directory that `current` names during a trial; no version has this name. */
export const trialName = 'trial';
