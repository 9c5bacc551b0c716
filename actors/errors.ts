import { accessErrors } from './access/errors.ts';
import { accountErrors } from './accounts/errors.ts';
import { auditErrors } from './audit/errors.ts';
import { backupErrors } from './backup/errors.ts';
import { requestErrors } from './envoy/errors.ts';
import { explainErrors } from './explain/errors.ts';
import { federationErrors } from './federation/errors.ts';
import { fleetErrors } from './fleet/errors.ts';
import { planErrors } from './plan/errors.ts';
import { publishErrors } from './publish/errors.ts';
import { releaseErrors } from './releases/errors.ts';
import { secretErrors } from './secrets/errors.ts';
import { uploadErrors } from './upload/errors.ts';

/**
 * Every refusal and accident of the server's actors, by stable code. `{name}` in a message is filled
 * from the error's details. `grpcStatus` is the gRPC status code (number), `httpStatus` the REST one.
 */
interface ServerErrorEntry {
  readonly message: string;
  /** What the owner of the refused side can do about it. */
  readonly remedy: string;
  readonly grpcStatus: number;
  readonly httpStatus: number;
  /** Exit code of a command that ends with this error; 1 when absent. */
  readonly exitCode?: number;
}

const grpc = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

const configExitCode = 78;

const registry = {
  ...requestErrors,
  ...publishErrors,
  ...planErrors,
  ...secretErrors,
  ...accessErrors,
  ...accountErrors,
  ...federationErrors,
  ...fleetErrors,
  ...uploadErrors,
  ...releaseErrors,
  ...explainErrors,
  ...auditErrors,
  ...backupErrors,
  ENROLLMENT_TOKEN_UNKNOWN: {
    message: 'the enrollment token is not known here',
    remedy: 'Copy the whole token again, or make a new one: vigocli tokens create.',
    grpcStatus: grpc.permissionDenied,
    httpStatus: 403,
  },
  ENROLLMENT_TOKEN_USED: {
    message: 'the enrollment token has been used',
    remedy: 'A token enrolls one machine. Make another: vigocli tokens create.',
    grpcStatus: grpc.permissionDenied,
    httpStatus: 403,
  },
  ENROLLMENT_TOKEN_EXPIRED: {
    message: 'the enrollment token has expired',
    remedy: 'Make a new one, with a longer --expires if needed: vigocli tokens create.',
    grpcStatus: grpc.permissionDenied,
    httpStatus: 403,
  },
  ENROLLMENT_TOKEN_REVOKED: {
    message: 'the enrollment token has been revoked',
    remedy: 'Ask the administrator for a new token.',
    grpcStatus: grpc.permissionDenied,
    httpStatus: 403,
  },
  ENROLLMENT_TOKEN_HOSTNAME: {
    message: 'the enrollment token is not valid for the host name {hostname}',
    remedy: 'Make a token whose --match fits this host name: vigocli tokens create.',
    grpcStatus: grpc.permissionDenied,
    httpStatus: 403,
  },
  ENROLLMENT_FLEET_FULL: {
    message: 'the server has {limit} envoys, which is its limit',
    remedy: 'Raise limits.envoys in server.yaml, or use another server.',
    grpcStatus: grpc.resourceExhausted,
    httpStatus: 507,
  },
  ENROLLMENT_BAD_REQUEST: {
    message: 'the request to enrollment is not valid: {reason}',
    remedy:
      'Correct what the message names; for an agent, use the version that this server serves.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
  },
  ENROLLMENT_RATE_LIMITED: {
    message: 'too many failed registrations from {peerAddress}',
    remedy: 'Wait and try again with a valid token.',
    grpcStatus: grpc.resourceExhausted,
    httpStatus: 429,
  },
  ENROLLMENT_ENVOY_UNKNOWN: {
    message: 'no envoy {envoyId} is enrolled',
    remedy: 'List the envoys: vigocli envoys list.',
    grpcStatus: grpc.notFound,
    httpStatus: 404,
  },
  ENROLLMENT_TOKEN_NOT_FOUND: {
    message: 'there is no token {id}',
    remedy: 'List the tokens: vigocli tokens list.',
    grpcStatus: grpc.notFound,
    httpStatus: 404,
  },
  CERTIFICATE_REQUEST_MALFORMED: {
    message: 'the certificate request cannot be read: {reason}',
    remedy: 'Send a DER encoded PKCS#10 request (RFC 2986).',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
  },
  CERTIFICATE_REQUEST_ALGORITHM: {
    message: 'the certificate request holds a key of type {algorithm}, not Ed25519',
    remedy: 'Make an Ed25519 key on the node.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
  },
  CERTIFICATE_REQUEST_SIGNATURE: {
    message: 'the certificate request is not signed by the key that it names',
    remedy: 'Make a fresh request on the node that holds the key.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
  },
  CERTIFICATE_IDENTITY_MISSING: {
    message: 'the client certificate names no envoy',
    remedy: 'Register the agent with this server: vigo register.',
    grpcStatus: grpc.unauthenticated,
    httpStatus: 401,
  },
  CONFIG_SYNTAX: {
    message: '{file}:{line}:{column}: {reason}',
    remedy: 'Correct the YAML at this place.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
    exitCode: configExitCode,
  },
  CONFIG_UNKNOWN_KEY: {
    message: '{file}:{line}:{column}: unknown key "{key}"{suggestion}',
    remedy: 'Remove or rename the key; `vigosrv config sample` prints every known one.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
    exitCode: configExitCode,
  },
  CONFIG_INVALID_VALUE: {
    message: '{file}:{line}:{column}: {key} is {value}; expected {expected}',
    remedy: 'Correct the value; `vigosrv config sample` shows each key with its meaning.',
    grpcStatus: grpc.invalidArgument,
    httpStatus: 400,
    exitCode: configExitCode,
  },
  CONFIG_UNREADABLE: {
    message: 'cannot read {file}: {reason}',
    remedy: 'Check the path and its permissions.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
    exitCode: configExitCode,
  },
  HOME_DAMAGED: {
    message: 'the server home {home} is damaged: {reason}',
    remedy:
      'Restore the named file from a backup. It is never made anew: envoys trust the old one.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
  },
  HOME_UNWRITABLE: {
    message: 'cannot write {path}: {reason}',
    remedy: 'Check ownership, permissions and free space of the server home.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
  },
  HOME_LOCKED: {
    message: 'a server (process {pid}) runs on the home {home}',
    remedy: 'Stop it first, or use the command that talks to the running server.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 409,
  },
  SERVER_PORT_TAKEN: {
    message: 'port {port} on {host} is taken',
    remedy:
      'Find out who listens there (ss -ltnp), or choose another one: server.grpc_listen in server.yaml.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 409,
  },
  HOME_MISSING: {
    message: 'there is no server home at {home}',
    remedy: 'Make one: vigosrv init --home {home}.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 404,
  },
  SINK_DISK_FULL: {
    message: 'the disk under the database is full',
    remedy: 'Free space; the server goes on by itself and has lost nothing that it acknowledged.',
    grpcStatus: grpc.unavailable,
    httpStatus: 507,
  },
  SINK_LOCKED: {
    message: 'the database is locked by another program',
    remedy: 'End the program that holds the lock; the server tries again by itself.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  SINK_CORRUPT: {
    message: 'the database is damaged: {reason}',
    remedy: 'Restore it from a backup; what came since then is still in the outboxes.',
    grpcStatus: grpc.dataLoss,
    httpStatus: 500,
  },
  SINK_IO: {
    message: 'the database cannot be read or written: {reason}',
    remedy: 'Check the disk; the server tries again by itself.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  SINK_NEWER_SCHEMA: {
    message: 'the database was written by a newer version (schema {found}, this one knows {known})',
    remedy: 'Run the newer version, or restore the backup made before the upgrade.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
  },
  SINK_MIGRATION_FAILED: {
    message: 'migration {name} failed: {reason}',
    remedy: 'Nothing was changed by it. Report the message; the older version still runs.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
  },
  SINK_CONFLICT: {
    message: 'the write was refused: {reason}',
    remedy: 'Read the current state and decide again.',
    grpcStatus: grpc.aborted,
    httpStatus: 409,
  },
  AUDIT_CHAIN_BROKEN: {
    message: 'the audit chain is broken at sequence {sequence}: {reason}',
    remedy: 'Compare with an export or a backup; somebody changed the log.',
    grpcStatus: grpc.dataLoss,
    httpStatus: 500,
    exitCode: 3,
  },
  AUDIT_HEAD_MISMATCH: {
    message: 'the audit log ends at sequence {sequence} with head {head}, expected {expected}',
    remedy: 'The log was cut or replaced. Compare with an export or a backup.',
    grpcStatus: grpc.dataLoss,
    httpStatus: 500,
    exitCode: 3,
  },
  AUDIT_UNREADABLE: {
    message: 'cannot read the audit log {file}: {reason}',
    remedy: 'Check the path; --database wants a SQLite file, --export JSON lines.',
    grpcStatus: grpc.failedPrecondition,
    httpStatus: 500,
    exitCode: 2,
  },
} as const satisfies Record<string, ServerErrorEntry>;

export type ServerErrorCode = keyof typeof registry;

export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** A coded error of the server. `message` is for people and may change; `code` is stable. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;
  readonly details: ErrorDetails;
  /** When the peer may try again, milliseconds; 0 = retrying cannot help. */
  readonly retryAfterMs: number;

  constructor(
    code: ServerErrorCode,
    details: ErrorDetails = {},
    options: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(fillMessage(registry[code].message, details), { cause: options.cause });
    this.name = 'ServerError';
    this.code = code;
    this.details = details;
    this.retryAfterMs = options.retryAfterMs ?? Number(details.retryAfterMs ?? 0);
  }

  get remedy(): string {
    return fillMessage(registry[this.code].remedy, this.details);
  }

  get grpcStatus(): number {
    return registry[this.code].grpcStatus;
  }

  get httpStatus(): number {
    return registry[this.code].httpStatus;
  }

  get exitCode(): number {
    return describeServerError(this.code).exitCode ?? 1;
  }
}

/** The code of a coded error of any thread and room; '' for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function isServerErrorCode(code: string): code is ServerErrorCode {
  return Object.hasOwn(registry, code);
}

export function describeServerError(code: ServerErrorCode): ServerErrorEntry {
  return registry[code];
}

/** Every code in the order of the registry, for documentation and its test. */
export function serverErrorCodes(): ServerErrorCode[] {
  return Object.keys(registry).filter(isServerErrorCode);
}

function fillMessage(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in details ? String(details[name]) : whole,
  );
}
