/** Why publishing, approving or rolling out is refused. Part of the registry in actors/errors.ts. */
export const publishErrors = {
  PUBLISH_INVALID: {
    message: 'the stack has {errors} errors; the first one is at {first}',
    remedy: 'Repair what the diagnostics name; vigocli config validate shows them again.',
    grpcStatus: 9,
    httpStatus: 422,
    exitCode: 2,
  },
  PUBLISH_DISK: {
    message: 'the policy could not be written: {reason}',
    remedy: 'Check space and permissions of the server home. The previous policy is in force.',
    grpcStatus: 14,
    httpStatus: 503,
  },
  PUBLISH_LIVE_DAMAGED: {
    message: 'the live copy of the policy is damaged: {reason}',
    remedy: 'Publish the stack again: vigocli config publish.',
    grpcStatus: 15,
    httpStatus: 500,
  },
  PUBLISH_FROZEN: {
    message: 'publishing is frozen until {until}: {reason} (by {by})',
    remedy: 'Wait, or end the freeze: vigocli config unfreeze. A rollback is always allowed.',
    grpcStatus: 9,
    httpStatus: 423,
  },
  PUBLISH_VERSION_MOVED: {
    message: 'version {live} is live, but {expected} was expected',
    remedy: 'Somebody published meanwhile. Look at the difference and publish again.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  PUBLISH_STACK_CHANGED: {
    message: 'the stack has the content hash {found}, but {expected} was expected',
    remedy: 'It was edited meanwhile. Look at the difference, or plan again.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  PUBLISH_ROLLOUT_ACTIVE: {
    message: 'version {version} is being rolled out (stage {stage} of {stages})',
    remedy: 'Wait for it, or end it: vigocli config rollout finish, or abort.',
    grpcStatus: 9,
    httpStatus: 409,
  },
  PUBLISH_VERSION_UNKNOWN: {
    message: 'there is no version {version}, or its files are not kept any more',
    remedy: 'List the versions: vigocli config history. The newest ones keep their files.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  PUBLISH_CANDIDATE_NONE: {
    message: 'no candidate waits for approval',
    remedy: 'It was approved, rejected or replaced, or it has expired. Publish again.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  PUBLISH_CANDIDATE_OTHER: {
    message: 'the candidate has the content hash {found}, not {named}',
    remedy: 'It was replaced by another one. Look at that one first.',
    grpcStatus: 10,
    httpStatus: 409,
  },
  PUBLISH_CANDIDATE_EXPIRED: {
    message: 'the candidate expired at {at}',
    remedy: 'Publish the stack again and have it approved in time.',
    grpcStatus: 9,
    httpStatus: 410,
  },
  PUBLISH_OWN_CANDIDATE: {
    message: '{by} published this candidate and cannot approve it',
    remedy: 'Ask another administrator.',
    grpcStatus: 7,
    httpStatus: 403,
  },
  PUBLISH_BAD_REQUEST: {
    message: 'the request to publish is not valid: {reason}',
    remedy: 'Correct what the message names.',
    grpcStatus: 3,
    httpStatus: 400,
  },
  ROLLOUT_NONE: {
    message: 'no version is being rolled out',
    remedy: 'See what is live: vigocli config status.',
    grpcStatus: 5,
    httpStatus: 404,
  },
  ROLLOUT_MOVED: {
    message: 'the rollout is of version {found}, not {named}',
    remedy: 'See what is live: vigocli config status.',
    grpcStatus: 10,
    httpStatus: 409,
  },
} as const;
