const grpcInvalidArgument = 3;
const grpcNotFound = 5;
const grpcFailedPrecondition = 9;
const grpcAborted = 10;
const grpcUnavailable = 14;
const grpcDataLoss = 15;

/** Refusals about backups; part of the registry in actors/errors.ts. */
export const backupErrors = {
  BACKUP_BAD_REQUEST: {
    message: 'the backup was not made: {reason}',
    remedy: 'Correct it and try again.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  BACKUP_UNKNOWN: {
    message: 'there is no backup {name} on this server',
    remedy: 'List them: vigocli backup list.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  BACKUP_NO_SPACE: {
    message: 'a backup needs about {needed} bytes in {directory}, and {free} are free',
    remedy: 'Free space, remove old backups, or keep fewer of them with --keep.',
    grpcStatus: grpcUnavailable,
    httpStatus: 507,
  },
  BACKUP_UNSETTLED: {
    message: 'the server changed faster than it could be copied, {times} times in a row',
    remedy: 'Try again when nobody publishes or edits the stack.',
    grpcStatus: grpcAborted,
    httpStatus: 503,
  },
  BACKUP_OUTSIDE: {
    message: 'the database {file} stands outside of the server home',
    remedy:
      'Move it into the home (database.dsn of server.yaml); a backup is one home as one unit.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
  },
  BACKUP_DISK: {
    message: 'the backup could not be written or read: {reason}',
    remedy: 'Check the free space and the permissions of the directory.',
    grpcStatus: grpcUnavailable,
    httpStatus: 503,
  },
  BACKUP_ENCRYPTED: {
    message: 'the backup is encrypted, and {reason}',
    remedy: 'Name the file with its passphrase (--passphrase-file) or key (--identity).',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
    exitCode: 4,
  },
  BACKUP_DAMAGED: {
    message: 'the backup is not whole: {reason}',
    remedy: 'Take another copy of it, or an older backup. Nothing was changed.',
    grpcStatus: grpcDataLoss,
    httpStatus: 422,
  },
  BACKUP_FOREIGN: {
    message: 'the backup was made by another server: its key is {key}',
    remedy: 'Name the key that you expect with --key, or leave it out. Nothing was changed.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
    exitCode: 4,
  },
  BACKUP_HOME_IN_USE: {
    message: 'a server lives in {home} already',
    remedy: 'Name another --home, or replace it with --force; what is replaced is kept beside it.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
    exitCode: 4,
  },
} as const;
