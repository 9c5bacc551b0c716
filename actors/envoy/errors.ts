/**
 * Why a request of an envoy is refused. Part of the registry in actors/errors.ts; `grpcStatus` is
 * the number that the gRPC call ends with.
 */
export const requestErrors = {
  REQUEST_MALFORMED: {
    message: 'the request cannot be read: {reason}',
    remedy: 'Use an agent of the version that this server serves.',
    grpcStatus: 3,
    httpStatus: 400,
  },
  REQUEST_TOO_LARGE: {
    message: 'the request has {size} bytes, {limit} are the most for {method}',
    remedy: 'Send less at once; the agent splits its reports by itself.',
    grpcStatus: 8,
    httpStatus: 413,
  },
  REQUEST_PROTOCOL_VERSION: {
    message: 'the request speaks protocol version {version}, this server speaks {served}',
    remedy: 'Update the older side.',
    grpcStatus: 9,
    httpStatus: 400,
  },
  REQUEST_CERTIFICATE_REQUIRED: {
    message: 'this method needs the client certificate that registration issues',
    remedy: 'Register the machine first: vigo register.',
    grpcStatus: 16,
    httpStatus: 401,
  },
  REQUEST_CERTIFICATE_REFUSED: {
    message: 'the client certificate is not accepted: {reason}',
    remedy: 'Register the machine with this server: vigo register.',
    grpcStatus: 16,
    httpStatus: 401,
  },
  REQUEST_IDENTITY_MISMATCH: {
    message: 'the request names another envoy than the certificate of its connection',
    remedy: 'Each machine keeps its own identity; a cloned one must register again.',
    grpcStatus: 7,
    httpStatus: 403,
  },
  REQUEST_ENVOY_UNKNOWN: {
    message: 'this server does not know the envoy {envoyId}',
    remedy: 'Register the machine again, or point the agent at its own server.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  REQUEST_ENVOY_REVOKED: {
    message: 'the envoy {envoyId} is revoked',
    remedy: 'It stays refused. To bring the machine back, enroll it with a new token.',
    grpcStatus: 7,
    httpStatus: 403,
  },
  REQUEST_CLOCK_SKEW: {
    message: 'the clock of the machine differs by {skewMs} ms from the server, {windowMs} allowed',
    remedy: 'Synchronise the clocks of both machines (NTP).',
    grpcStatus: 9,
    httpStatus: 400,
  },
  REQUEST_REPLAYED: {
    message: 'sequence {sequence} is not above {last}, the last one accepted',
    remedy: 'Nothing to do when it was a late duplicate; a cloned machine must register again.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  REQUEST_SIGNATURE: {
    message: 'the signature of the request does not verify',
    remedy: 'The identity key differs from the registered one: register the machine again.',
    grpcStatus: 16,
    httpStatus: 401,
  },
  REQUEST_TRAITS_MALFORMED: {
    message: 'the traits are not a JSON object in UTF-8: {reason}',
    remedy: 'Use an agent of the version that this server serves.',
    grpcStatus: 3,
    httpStatus: 400,
  },
  REQUEST_SECRET_FOREIGN: {
    message: 'the bundle of this envoy holds no reference to the secret {reference}',
    remedy: 'An envoy gets only what its own policy refers to. Somebody may be using its key.',
    grpcStatus: 7,
    httpStatus: 403,
  },
  REQUEST_SECRET_OUTDATED: {
    message: 'the secrets were asked for a bundle that is not the one assigned to this envoy',
    remedy: 'Nothing to do: the next check-in brings the current bundle.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  REQUEST_SECRETS_UNAVAILABLE: {
    message: 'no secret can be given now: {reason}',
    remedy: 'Bring the secret store back within reach of the server; the agent asks again.',
    grpcStatus: 14,
    httpStatus: 503,
  },
  REQUEST_RELEASE_UNKNOWN: {
    message: 'this artefact is not part of a release that is being rolled out',
    remedy: 'Nothing to do: the next check-in brings the current order.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  REQUEST_RELEASE_BUSY: {
    message: 'others are fetching the release now',
    remedy: 'Nothing to do: the agent comes back after the stated time.',
    grpcStatus: 8,
    httpStatus: 429,
  },
  REQUEST_NOT_OFFERED: {
    message: 'this server has no use for {method} yet',
    remedy: 'Nothing is lost; the agent goes on without it.',
    grpcStatus: 12,
    httpStatus: 501,
  },
  REQUEST_OVERLOADED: {
    message: 'the server is busy: {reason}',
    remedy: 'Come back after the stated time.',
    grpcStatus: 14,
    httpStatus: 503,
  },
  REQUEST_FAILED: {
    message: 'the server failed to answer',
    remedy: 'Try again; the server log has the reason under the same trace id.',
    grpcStatus: 13,
    httpStatus: 500,
  },
} as const;
