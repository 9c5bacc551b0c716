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
 * Where declared absolute paths really are. With a confined root every path is resolved beneath it
 * as in a chroot: an absolute link starts again at the root. A declared path or a link that climbs
 * above the root with ".." is refused with AGENT_PATH_ESCAPES_ROOT.
 */
export interface Paths {
  /** The confined root, or "/" when the agent manages the whole machine. */
  readonly root: string;
  readonly confined: boolean;
  /**
   * Real location of a declared absolute path. Links in the parents are followed beneath the root;
   * the last component only on request. Nothing needs to exist.
   */
  resolve(declared: string, options?: ResolveOptions): Promise<string>;
  /** The inverse: how a real path beneath the root is called inside it. */
  declared(real: string): string;
}

export interface ResolveOptions {
  readonly followLast?: boolean;
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
  /**
   * The content of a regular file; a link is not followed (ELOOP), a pipe or device refused (EINVAL).
   * More than `limit` bytes (default 64 MiB) is refused with EFBIG.
   */
  read(path: string, limit?: number): Promise<Uint8Array>;
  readLink(path: string): Promise<string>;
  list(path: string): Promise<string[]>;
  /**
   * Replaces or creates the file as one step (temporary file in the same directory, fsync, rename).
   * An existing file keeps owner, mode, ACLs and other extended attributes unless told otherwise;
   * a new one gets mode 0644, whatever the umask.
   */
  writeAtomic(path: string, content: Uint8Array, attributes: WriteAttributes): Promise<void>;
  /**
   * One write into a file of the kernel (/proc/sys, /sys), which cannot be replaced. EINVAL when the
   * kernel refuses the value, ENOENT when it has no such setting.
   */
  writeKernel(path: string, text: string): Promise<void>;
  /** One level; EEXIST when something is there. The mode holds whatever the umask. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** A file, link, socket or pipe; nothing there is no error. */
  removeFile(path: string): Promise<void>;
  /** ENOTEMPTY when it holds something. */
  removeEmptyDirectory(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Does not follow a link. */
  setOwner(path: string, uid: number, gid: number): Promise<void>;
  symbolicLink(target: string, path: string): Promise<void>;
  hardLink(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Copies a regular file's content to a new file (EEXIST otherwise), durable when it returns. */
  copyFile(from: string, to: string, mode: number): Promise<void>;
  /** Removes temporary files that an interrupted write left in this directory; returns their number. */
  removeTemporaries(directory: string): Promise<number>;
}

/** Name of a temporary file, so that `removeTemporaries` finds it. `unique`: 16 hexadecimal digits. */
export function temporaryName(unique: string): string {
  return `.vigo-${unique}.tmp`;
}
export const temporaryNamePattern = /^\.vigo-[0-9a-f]{16}\.tmp$/;

export interface WriteAttributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Processes {
  /**
   * Runs argv without a shell in a process group of its own; at the limit TERM, then KILL, to the
   * whole group. A process that went into the background and holds the output open is not waited
   * for. Not startable: PlatformError, ENOENT when the program is missing. An abort rejects with
   * PlatformError ECANCELED once the group is dead.
   */
  run(request: RunRequest): Promise<RunResult>;
  /** Sends a signal ("TERM", "HUP") to one process. False when it is gone; EPERM when not allowed. */
  signal(pid: number, name: string): Promise<boolean>;
}

export interface RunRequest {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: Uint8Array;
  readonly cwd?: string;
  /** Added to PATH, HOME, USER, LOGNAME, LANG and TZ; nothing else of the agent's own is inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Bytes kept of each output stream (default 64 KiB); the rest is dropped and `truncated` set. */
  readonly outputLimit?: number;
  /** 0 to 19; from 15 on disk access is idle too, below it best effort at the lowest level. */
  readonly nice?: number;
  /** Start it and do not wait: exit code 0, no output. It outlives the agent. */
  readonly background?: boolean;
}

export interface RunResult {
  /** -1 when a signal ended it. */
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
  /** Ends early, without an error, when the signal is aborted. */
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
  networkInterfaces(): readonly NetworkInterface[];
  /** Size of the file system that holds a real path. A dead network mount never answers. */
  fileSystemSize(path: string): Promise<FileSystemSize>;
}

export interface NetworkInterface {
  readonly name: string;
  readonly loopback: boolean;
  /** Lower case with colons; all zero where the interface has none. */
  readonly macAddress: string;
  /** IPv4 and IPv6, without prefix length or zone. */
  readonly addresses: readonly string[];
}

export interface FileSystemSize {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** What ordinary users can still write; absent where that is not told. */
  readonly availableBytes?: number;
  /** 0 where the file system makes them as needed. */
  readonly inodes?: number;
  readonly freeInodes?: number;
}
