/** Errors of what administrators note about the fleet. Part of the registry in actors/errors.ts. */
export const fleetErrors = {
  FLEET_ENVOY_UNKNOWN: {
    message: 'no envoy in good standing has the id {envoyId}',
    remedy: 'List the envoys: vigocli envoys list. A revoked one cannot be in maintenance.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  FLEET_VIEW_UNKNOWN: {
    message: 'there is no saved view "{name}" of yours',
    remedy: 'List yours: vigocli envoys views list.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  FLEET_VIEW_LIMIT: {
    message: 'you have {limit} saved views, which is as many as one account keeps',
    remedy: 'Remove one that you do not need: vigocli envoys views remove <name>.',
    grpcStatus: 8,
    httpStatus: 409,
  },
} as const;
