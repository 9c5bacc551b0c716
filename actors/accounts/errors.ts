const grpcInvalidArgument = 3;
const grpcNotFound = 5;
const grpcAlreadyExists = 6;
const grpcPermissionDenied = 7;
const grpcResourceExhausted = 8;
const grpcFailedPrecondition = 9;
const grpcUnauthenticated = 16;

/** Refusals about accounts and logins; part of the registry in actors/errors.ts. */
export const accountErrors = {
  ACCOUNT_BAD_REQUEST: {
    message: 'the account was not changed: {reason}',
    remedy: 'Correct it and try again.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  ACCOUNT_NAME_TAKEN: {
    message: 'the name {name} belongs or belonged to somebody',
    remedy: 'Choose another name: names are never given twice, so that the audit log is clear.',
    grpcStatus: grpcAlreadyExists,
    httpStatus: 409,
  },
  ACCOUNT_NOT_FOUND: {
    message: 'there is no account {id}',
    remedy: 'List them and check the name: vigocli users list.',
    grpcStatus: grpcNotFound,
    httpStatus: 404,
  },
  ACCOUNT_DISABLED: {
    message: 'the account {name} is disabled',
    remedy: 'An administrator can enable it: vigocli users enable {name}.',
    grpcStatus: grpcPermissionDenied,
    httpStatus: 403,
  },
  ACCOUNT_PASSWORD_WEAK: {
    message: 'the password was refused: {reason}',
    remedy: 'Choose a longer one that is not a common password; a few random words do well.',
    grpcStatus: grpcInvalidArgument,
    httpStatus: 400,
  },
  ACCOUNT_LOGIN_FAILED: {
    message: 'the name, the password or the code is wrong',
    remedy: 'Try again; after several failures each further try has to wait longer.',
    grpcStatus: grpcUnauthenticated,
    httpStatus: 401,
  },
  ACCOUNT_LOGIN_WAIT: {
    message: 'too many failed logins; the next try is possible in {seconds} s',
    remedy:
      'Wait for that long. An administrator can reset the password: vigocli users reset-password.',
    grpcStatus: grpcResourceExhausted,
    httpStatus: 429,
  },
  ACCOUNT_CHALLENGE_ENDED: {
    message: 'this login has ended',
    remedy: 'Begin again with name and password.',
    grpcStatus: grpcUnauthenticated,
    httpStatus: 401,
  },
  ACCOUNT_TOTP_STATE: {
    message: 'the second factor was not changed: {reason}',
    remedy: 'See its state with: vigocli auth whoami, or on your account page.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
  },
  ACCOUNT_LAST_ADMIN: {
    message: '{name} is the last administrator who can log in',
    remedy: 'Make somebody else an administrator first: vigocli users set-role.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
  },
  ACCOUNT_SETUP_DONE: {
    message: 'this server was set up already',
    remedy: 'Log in, or let an administrator make you an account: vigocli users create.',
    grpcStatus: grpcFailedPrecondition,
    httpStatus: 409,
  },
  ACCOUNT_SETUP_REFUSED: {
    message: 'the setup code is wrong',
    remedy:
      'Show the valid one on the server: vigosrv setup-code. After several failures it is replaced.',
    grpcStatus: grpcPermissionDenied,
    httpStatus: 403,
  },
} as const;
