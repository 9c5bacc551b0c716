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
}
