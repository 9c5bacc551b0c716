/** Status codes of gRPC that the endpoint itself speaks of. */
export const grpcStatus = {
  ok: 0,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const;

const names = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** As gRPC's own table has it. */
export function grpcStatusName(status: number): string {
  return names[status] ?? 'UNKNOWN';
}

const serverFaults: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** Whether the server is at fault, and not who asked (OpenTelemetry's conventions for gRPC). */
export function isServerFault(status: number): boolean {
  return serverFaults.has(grpcStatusName(status));
}
