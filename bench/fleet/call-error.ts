/** A refusal or a broken connection, by the code that the report counts it under. */
export class CallError extends Error {
  readonly code: string;
  /** What the server asked for; 0 = nothing. Milliseconds. */
  readonly retryAfterMs: number;
  constructor(code: string, message: string, retryAfterMs = 0) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
