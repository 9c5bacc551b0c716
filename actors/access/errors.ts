const grpcInvalidArgument = 3;
const grpcNotFound = 5;
const grpcAlreadyExists = 6;

/** Refusals about named API tokens; part of the registry in actors/errors.ts. */
export const accessErrors = {
  ACCESS_BAD_REQUEST: {
    message: 'the token was not made: {reason}',
    remedy: 'Correct it and try again.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  ACCESS_NAME_TAKEN: {
    message: 'a valid token or an account has the name {name}',
    remedy: 'Choose another name, or revoke that token first: vigocli auth list-tokens.',
    grpcStatus: grpcAlreadyExists,
    httpStatus: 409,
  },
  ACCESS_TOKEN_NOT_FOUND: {
    message: 'there is no API token {id}',
    remedy: 'List them and check the id: vigocli auth list-tokens.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
} as const;
