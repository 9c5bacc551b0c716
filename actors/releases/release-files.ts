/** The directory of agent programs on the server (docs/install.md, "Layout"), by plain names. */
export interface ReleaseFiles {
  list(): Promise<readonly string[]>;
  /** Undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the file as one step, durable when it resolves. */
  write(name: string, content: Uint8Array): Promise<void>;
  size(name: string): Promise<number>;
  /** Writes at `offset` and cuts off what was behind it. */
  append(name: string, offset: number, data: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Size and SHA-256 of the file and of what it unpacks to (gzip), at most `limit` bytes. */
  measure(name: string, limit: number): Promise<MeasuredArtefact>;
}

export interface MeasuredArtefact {
  readonly downloadSize: number;
  readonly downloadSha256: Uint8Array;
  readonly size: number;
  readonly sha256: Uint8Array;
}

/** A part of an artefact for a shard; fewer bytes at its end. */
export type ReadReleasePart = (name: string, offset: number, length: number) => Promise<Uint8Array>;
