/** Refusals about releases of the agent. Part of the registry in actors/errors.ts. */
export const releaseErrors = {
  RELEASE_NOT_FOUND: {
    message: 'there is no release {version}{platform}',
    remedy: 'List what there is: vigocli releases list.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  RELEASE_MALFORMED: {
    message: 'this is no release: {reason}',
    remedy: 'Correct what the message names and add it again.',
    grpcStatus: 3,
    httpStatus: 400,
  },
  RELEASE_EXISTS: {
    message: 'the release {version} for {platform} is there with another program',
    remedy: 'A version is one program for ever: give the new one a version of its own.',
    grpcStatus: 6,
    httpStatus: 409,
  },
  RELEASE_SIGNATURE: {
    message: 'the release is not signed by a key of releases.public_keys',
    remedy: 'Sign it with that key: vigocli releases sign.',
    grpcStatus: 7,
    httpStatus: 403,
  },
  RELEASE_OFFLINE_KEY: {
    message: 'this server does not hold the key that signs releases',
    remedy: 'Sign where the key is: vigocli releases sign; then add it with --manifest.',
    grpcStatus: 9,
    httpStatus: 409,
  },
  RELEASE_UPLOAD: {
    message: 'the upload does not fit: {reason}',
    remedy: 'Add the release again; the upload begins anew.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  RELEASE_IN_USE: {
    message: 'the release {version} is being rolled out',
    remedy: 'Stop that first: vigocli releases stop.',
    grpcStatus: 9,
    httpStatus: 409,
  },
  RELEASE_NO_ROLLOUT: {
    message: 'no release is being rolled out',
    remedy: 'Begin with vigocli releases rollout.',
    grpcStatus: 9,
    httpStatus: 409,
  },
  RELEASE_DISK: {
    message: 'the releases cannot be read or written: {reason}',
    remedy: 'Check the directory agents in the server home, and free space.',
    grpcStatus: 14,
    httpStatus: 503,
  },
} as const;
