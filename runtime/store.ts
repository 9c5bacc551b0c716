/**
 * The store's two promises are different types, so that nobody acknowledges one for the other:
 * `Committed` = readers see it; `Durable` = it survives power loss.
 */
export interface Committed {
  readonly promise: 'committed';
  readonly sequence: number;
}
export interface Durable {
  readonly promise: 'durable';
  readonly sequence: number;
}

/** How a table's values become bytes. `encode` may return a view of a reused buffer. */
export interface Codec<V> {
  encode(value: V): Uint8Array;
  decode(bytes: Uint8Array): V;
}

/** A named map from string keys (at most 511 bytes of UTF-8) to values. */
export interface Table<V> {
  readonly name: string;
  readonly codec: Codec<V>;
  /** At most this many rows; one more is refused with RUNTIME_STORE_TABLE_FULL. */
  readonly rowLimit: number;
}

export type Operation =
  | {
      readonly op: 'put';
      readonly table: Table<unknown>;
      readonly key: string;
      readonly value: unknown;
    }
  | { readonly op: 'remove'; readonly table: Table<unknown>; readonly key: string };

export interface StoreReader {
  get<V>(table: Table<V>, key: string): V | undefined;
  /** Rows with `from` <= key < `to`, in key order (UTF-8 bytes), at most `limit`. */
  range<V>(table: Table<V>, options: RangeOptions): Iterable<readonly [key: string, value: V]>;
  count<V>(table: Table<V>): number;
}

export interface RangeOptions {
  readonly from?: string;
  readonly to?: string;
  readonly reverse?: boolean;
  readonly limit: number;
}

export interface Commit {
  readonly committed: Promise<Committed>;
  readonly durable: Promise<Durable>;
}

/** One thread's own store: it alone writes, any thread may read. */
export interface Store extends StoreReader {
  /** All operations or none. Commits of one store are applied in the order of the calls. */
  transact(operations: readonly Operation[]): Commit;
  /** Random, made when the store was created empty; a rebuilt store has another one. At most 53 bits. */
  readonly storeId: number;
  close(): Promise<void>;
}
