/** The last digits of a trace id that decide; they are random in every trace id that is in use. */
const digits = 8;
const range = 16 ** digits;

/**
 * Whether the trace is among one of `oneIn`. The trace id alone decides (as OpenTelemetry's
 * TraceIdRatioBased sampler does), so that every thread, and the check-in and the report of one pass,
 * are of one mind. 0: none.
 */
export function isSampled(traceId: string, oneIn: number): boolean {
  if (oneIn <= 1) return oneIn === 1;
  return Number.parseInt(traceId.slice(-digits), 16) < range / oneIn;
}
