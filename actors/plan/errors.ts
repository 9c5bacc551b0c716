/** Why there is no plan. Part of the registry in actors/errors.ts. */
export const planErrors = {
  PLAN_NOBODY_TO_ASK: {
    message: 'no envoy can be asked: {reason}',
    remedy: 'Look at vigocli envoys list, widen --target, or plan without --live.',
    grpcStatus: 9,
    httpStatus: 409,
  },
  PLAN_COMMANDS_UNAPPROVED: {
    message: 'looking at {resources} would run commands that nobody has approved',
    remedy: 'Plan without --live, or publish the commands first: approval holds for them too.',
    grpcStatus: 7,
    httpStatus: 403,
  },
} as const;
