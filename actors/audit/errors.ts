const grpcInvalidArgument = 3;
const grpcNotFound = 5;
const grpcDataLoss = 15;

/** Refusals about the audit log's tree; part of the registry in actors/errors.ts. */
export const auditErrors = {
  AUDIT_BAD_REQUEST: {
    message: 'the request about the audit log is refused: {reason}',
    remedy: 'Correct it and try again.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  AUDIT_NO_SUCH_ENTRY: {
    message: 'the audit log has no entry {sequence} under a checkpoint of {size} entries',
    remedy: 'Look at the newest entries: vigocli audit list.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  AUDIT_NO_CHECKPOINT: {
    message: 'there is no checkpoint {size} of the audit log',
    remedy: 'Ask for the newest one: vigocli audit checkpoint.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  AUDIT_TREE_DAMAGED: {
    message: 'the tree of the audit log lacks nodes of its first {size} entries',
    remedy: 'Somebody changed the database. Compare with an export or a backup.',
    grpcStatus: grpcDataLoss,
    httpStatus: 500,
  },
} as const;
