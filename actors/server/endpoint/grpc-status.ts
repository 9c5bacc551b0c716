/** Status codes of gRPC that the endpoint itself speaks of. */
export const grpcStatus = {
  ok: 0,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const;
