/** Time, as the runtime sees it. The simulator's clock moves only when the simulation says so. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump. */
  nowMs(): number;
  /** Never goes back; only differences mean anything. Milliseconds, with a fraction. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive when `unref` is set. */
  after(delayMs: number, run: () => void, options?: { unref?: boolean }): TimerHandle;
  /** Calls `run` as soon as pending input and output have had their turn. */
  soon(run: () => void): void;
}

export interface TimerHandle {
  cancel(): void;
}
