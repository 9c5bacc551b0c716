const grpcInvalidArgument = 3;
const grpcNotFound = 5;
const grpcAlreadyExists = 6;
const grpcResourceExhausted = 8;

/** Refusals about keys and identities of accounts; part of the registry in actors/errors.ts. */
export const federationErrors = {
  FEDERATION_BAD_REQUEST: {
    message: 'nothing was changed: {reason}',
    remedy: 'Correct it and try again.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  FEDERATION_KEY_TAKEN: {
    message: 'an account has the key {fingerprint} already',
    remedy: 'Make a key of your own: ssh-keygen -t ed25519. One key is one person.',
    grpcStatus: grpcAlreadyExists,
    httpStatus: 409,
  },
  FEDERATION_KEY_NOT_FOUND: {
    message: 'the account has no key {fingerprint}',
    remedy: 'List its keys: vigocli users list-keys.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  FEDERATION_IDENTITY_TAKEN: {
    message: 'the subject {subject} belongs to an account already',
    remedy: 'Unlink it from that account first: vigocli users unlink.',
    grpcStatus: grpcAlreadyExists,
    httpStatus: 409,
  },
  FEDERATION_TOO_MANY: {
    message: 'the account has {limit} {what} already',
    remedy: 'Remove one that is not used any more.',
    grpcStatus: grpcResourceExhausted,
    httpStatus: 409,
  },
} as const;
