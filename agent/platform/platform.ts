/**
 * The narrow door between the agent and the operating system. Only files in agent/platform import
 * `node:` modules, so that the rest of the agent compiles ahead of time and runs under test doubles.
 */
export interface Platform {
  readonly paths: Paths;
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: AgentClock;
  readonly host: Host;
}

/**
 * Where declared absolute paths really are. With a confined root every path is resolved beneath it,
 * and a path that would leave it through a link is refused with AGENT_PATH_ESCAPES_ROOT.
 */
export interface Paths {
  /** The confined root, or "/" when the agent manages the whole machine. */
  readonly root: string;
  readonly confined: boolean;
  /** Real location of a declared absolute path. Links in the parents are followed beneath the root. */
  resolve(declared: string): Promise<string>;
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits, including setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly inode: number;
  readonly device: number;
  readonly modifiedMs: number;
}

/** Paths are real ones (already resolved). Every failure is a PlatformError with a code such as ENOSPC. */
export interface Files {
  /** lstat; undefined when nothing is there. */
  status(path: string): Promise<FileStatus | undefined>;
  read(path: string): Promise<Uint8Array>;
  readLink(path: string): Promise<string>;
  list(path: string): Promise<string[]>;
  /**
   * Replaces or creates the file as one step (temporary file in the same directory, fsync, rename).
   * An existing file keeps owner, mode, ACLs and other extended attributes unless told otherwise.
   */
  writeAtomic(path: string, content: Uint8Array, attributes: WriteAttributes): Promise<void>;
  makeDirectory(path: string, mode: number): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Does not follow a link. */
  setOwner(path: string, uid: number, gid: number): Promise<void>;
  symbolicLink(target: string, path: string): Promise<void>;
  hardLink(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

export interface WriteAttributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Processes {
  /** Runs argv without a shell in a process group of its own; at the limit TERM, then KILL, to the whole group. */
  run(request: RunRequest): Promise<RunResult>;
}

export interface RunRequest {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: Uint8Array;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Bytes kept of each output stream; the rest is dropped and `truncated` set. */
  readonly outputLimit?: number;
  readonly nice?: number;
}

export interface RunResult {
  readonly exitCode: number;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly truncated: boolean;
}

export interface AgentClock {
  nowMs(): number;
  monotonicMs(): number;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Host {
  hostname(): string;
  /** node's names: "linux", "darwin", ... */
  readonly operatingSystem: string;
  /** "x64", "arm64", ... */
  readonly architecture: string;
  readonly effectiveUid: number;
  randomBytes(length: number): Uint8Array;
}
