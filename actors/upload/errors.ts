const grpcInvalidArgument = 3;
const grpcResourceExhausted = 8;
const grpcUnavailable = 14;

/** Refusals of stacks that were sent along; part of the registry in actors/errors.ts. */
export const uploadErrors = {
  UPLOAD_BAD_PATH: {
    message: 'the file {path} cannot be part of a stack: {reason}',
    remedy: 'Send .vgo files and files below templates/, by paths relative to the stack.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  UPLOAD_LIMIT: {
    message: 'the stack that was sent is not taken: {reason}',
    remedy: 'Send less, or try again when others have their answers.',
    grpcStatus: grpcResourceExhausted,
    httpStatus: 429,
  },
  UPLOAD_DISK: {
    message: 'the stack that was sent could not be stored: {reason}',
    remedy: 'Free space on the disk of the server home.',
    grpcStatus: grpcUnavailable,
    httpStatus: 503,
  },
} as const;
