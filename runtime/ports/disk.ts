/**
 * The few file operations that the runtime needs beside its store. Every one can fail; the
 * simulator makes the Nth one fail. Paths are absolute.
 */
export interface Disk {
  read(path: string): Promise<Uint8Array>;
  /** Replaces the file as one step and returns when the new content survives power loss. */
  writeDurable(path: string, content: Uint8Array, mode?: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  makeDirectory(path: string, mode?: number): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** What stands at the path, a link itself not followed; undefined when nothing does. */
  inspect(path: string): Promise<DiskEntry | undefined>;
  /** The path with every link followed; rejects where one leads nowhere or in a circle. */
  resolve(path: string): Promise<string>;
}

export interface DiskEntry {
  /** "other": pipes, sockets, devices. */
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly bytes: number;
  /** Another text whenever the content may be another. */
  readonly version: string;
}
