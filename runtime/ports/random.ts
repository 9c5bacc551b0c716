/** Randomness. Seeded in the simulator, the operating system's generator otherwise. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** `length` bytes, fit for keys and identifiers. */
  bytes(length: number): Uint8Array;
}
