const grpcNotFound = 5;
const grpcFailedPrecondition = 9;

/** Refusals of questions about a stack; part of the registry in actors/errors.ts. */
export const explainErrors = {
  EXPLAIN_NO_MODULE: {
    message: 'the stack has no module {module}{hint}',
    remedy: 'List them: vigocli config search --module "*".',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  EXPLAIN_BROKEN: {
    message: 'the stack cannot be explained; the first of {errors} errors is at {first}',
    remedy: 'Repair it: vigocli config validate shows all errors.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 422,
  },
} as const;
