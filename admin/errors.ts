import { httpErrors } from './api/http/errors.ts';
import { eventErrors } from './api/live/errors.ts';
import { loginErrors } from './login/errors.ts';

/**
 * Every error that the admin plane gives a person or a program. The codes are stable: scripts may
 * rely on them. `httpStatus` is what the REST API answers, `exitCode` what vigocli ends with.
 */
const registry = {
  ...loginErrors,
  API_UNAUTHENTICATED: {
    message: 'this needs a valid API token',
    remedy: 'send "Authorization: Bearer <token>"; the local token stands in keys/admin-token',
    httpStatus: 401,
    exitCode: 4,
  },
  API_FORBIDDEN: {
    message: 'your role may not do that',
    remedy: 'use a token of a higher role; "vigocli auth whoami" shows yours',
    httpStatus: 403,
    exitCode: 4,
  },
  API_PASSWORD_CHANGE_DUE: {
    message: 'your password was set by somebody else',
    remedy: 'change it first: vigocli auth change-password, or on your account page',
    httpStatus: 403,
    exitCode: 4,
  },
  API_CROSS_SITE: {
    message: 'another site made your browser send this',
    remedy: "do it on the server's own pages; programs send a bearer token and no cookie",
    httpStatus: 403,
    exitCode: 4,
  },
  API_NEEDS_LOGIN: {
    message: 'this takes a person who has logged in',
    remedy: 'log in by name and password, key or OpenID Connect, and do it there',
    httpStatus: 403,
    exitCode: 4,
  },
  API_NOT_FOUND: {
    message: 'there is no such thing',
    remedy: 'list what exists and check the name',
    httpStatus: 404,
    exitCode: 1,
  },
  API_NO_ROUTE: {
    message: 'the API has no such path',
    remedy: 'see /api/v1/openapi.json for the paths',
    httpStatus: 404,
    exitCode: 1,
  },
  API_METHOD_NOT_ALLOWED: {
    message: 'this path does not take that method',
    remedy: 'see the Allow header',
    httpStatus: 405,
    exitCode: 1,
  },
  API_BAD_REQUEST: {
    message: 'the request does not fit its schema',
    remedy: 'correct the named fields and send it again',
    httpStatus: 400,
    exitCode: 64,
  },
  API_BAD_SELECTOR: {
    message: 'the selector cannot be read',
    remedy: 'correct it at the named column; docs/selectors.md has examples',
    httpStatus: 400,
    exitCode: 64,
  },
  API_TOO_LARGE: {
    message: 'the request is too large',
    remedy: 'send less at once',
    httpStatus: 413,
    exitCode: 64,
  },
  API_AMBIGUOUS: {
    message: 'more than one has that name',
    remedy: 'use the whole id',
    httpStatus: 409,
    exitCode: 64,
  },
  API_TOKEN_USED: {
    message: 'the token was used already',
    remedy: 'to refuse the machine that used it: vigocli envoys revoke',
    httpStatus: 409,
    exitCode: 4,
  },
  API_BUSY: {
    message: 'too many ask for this at once',
    remedy: 'try again in a minute',
    httpStatus: 503,
    exitCode: 5,
  },
  ...httpErrors,
  ...eventErrors,
  API_INTERNAL: {
    message: 'the server failed to answer',
    remedy: 'look for the trace id in the server log',
    httpStatus: 500,
    exitCode: 1,
  },
  CLI_USAGE: {
    message: 'the command was not understood',
    remedy: 'add --help for the usage',
    httpStatus: 400,
    exitCode: 64,
  },
  CLI_NO_SERVER: {
    message: 'it is not known which server to talk to',
    remedy: 'give --home DIR for a local server, or --server URL with --token-file and --ca-file',
    httpStatus: 400,
    exitCode: 64,
  },
  CLI_NO_CONTEXT: {
    message: 'there is no such context',
    remedy:
      'list them with: vigocli context list; add one with: vigocli context add NAME --server URL',
    httpStatus: 400,
    exitCode: 64,
  },
  CLI_CONTEXTS_INVALID: {
    message: 'the contexts or the login of vigocli cannot be read',
    remedy: 'repair the file, or remove it and add the contexts again',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_NOT_LOGGED_IN: {
    message: 'you are not logged in',
    remedy: 'vigocli auth login; or "vigocli auth logout" to go back to the token of before',
    httpStatus: 401,
    exitCode: 4,
  },
  CLI_SSH_AGENT: {
    message: 'the SSH agent did not help',
    remedy:
      'start one and add a key: eval "$(ssh-agent)"; ssh-add; or name a key file: --ssh-key FILE',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_SSH_KEY: {
    message: 'the key cannot sign',
    remedy: 'name an Ed25519 key: ssh-keygen -t ed25519 makes one',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_WRONG_CHALLENGE: {
    message: 'the server asks to sign something else than a login at itself; nothing was signed',
    remedy: 'check that you reach the right server: vigocli context show',
    httpStatus: 400,
    exitCode: 4,
  },
  CLI_TOKEN_EXPOSED: {
    message: 'others may read the file with your login',
    remedy: 'chmod 600 it; when somebody may have read it: vigocli auth logout, and log in again',
    httpStatus: 400,
    exitCode: 4,
  },
  CLI_UNREACHABLE: {
    message: 'the server cannot be reached',
    remedy: 'is it running? start it with: vigosrv start',
    httpStatus: 503,
    exitCode: 5,
  },
  CLI_UNTRUSTED_SERVER: {
    message: "the server's certificate is not signed by the expected CA",
    remedy: "copy tls/ca.cert.pem from the server's home and name it with --ca-file",
    httpStatus: 495,
    exitCode: 4,
  },
  CLI_FILE_UNREADABLE: {
    message: 'a file cannot be read',
    remedy: 'check its name and its permissions',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_FILE_UNWRITABLE: {
    message: 'a file cannot be written',
    remedy: 'Check the directory, its permissions and the free space.',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_NO_STACK: {
    message: 'this is no stack that can be sent',
    remedy: 'name the directory that holds modules/ and the entries with --stack DIR',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_STACK_INVALID: {
    message: 'the stack would not be valid',
    remedy: 'repair what is named above',
    httpStatus: 422,
    exitCode: 1,
  },
  CLI_FILE_CHANGED: {
    message: 'the file was changed by somebody else meanwhile',
    remedy: 'look at both, and edit it again',
    httpStatus: 409,
    exitCode: 1,
  },
  CLI_EDITOR_FAILED: {
    message: 'the editor did not end well',
    remedy: 'name one that works: --editor, VISUAL or EDITOR',
    httpStatus: 400,
    exitCode: 1,
  },
  CLI_FAILED: {
    message: 'vigocli failed',
    remedy: 'run it again; when it fails in the same way, report it with the command line',
    httpStatus: 500,
    exitCode: 1,
  },
  TRACING_EXPORT_FAILED: {
    message: 'the collector does not take the traces',
    remedy:
      'Check tracing.endpoint in server.yaml, the collector and what it says of its credentials (docs/tracing.md).',
    httpStatus: 503,
    exitCode: 1,
  },
  TRACING_FILE_UNUSABLE: {
    message: 'a file of the section tracing cannot be used',
    remedy:
      'Repair what is named, or take it out of server.yaml, and start the server again (docs/tracing.md).',
    httpStatus: 500,
    exitCode: 1,
  },
  CLI_BACKUP_DAMAGED: {
    message: 'the backup is not whole',
    remedy: 'keep it apart, take an older one, and make a new backup: vigocli backup create',
    httpStatus: 500,
    exitCode: 1,
  },
  CLI_AUDIT_BROKEN: {
    message: 'the audit chain does not verify',
    remedy: 'keep a copy of the database and find out who changed it',
    httpStatus: 500,
    exitCode: 4,
  },
} as const satisfies Record<string, AdminErrorEntry>;

interface AdminErrorEntry {
  readonly message: string;
  readonly remedy: string;
  readonly httpStatus: number;
  readonly exitCode: number;
}

export type AdminErrorCode = keyof typeof registry;

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  readonly remedy: string;
  readonly httpStatus: number;
  readonly exitCode: number;
  /** More for programs, such as the fields that do not fit or the diagnostics of a stack. */
  readonly details: unknown;

  constructor(code: AdminErrorCode, detail?: string, details?: unknown, remedy?: string) {
    const entry: AdminErrorEntry = registry[code];
    super(detail ? `${entry.message}: ${detail}` : entry.message);
    this.code = code;
    this.remedy = remedy ?? entry.remedy;
    this.httpStatus = entry.httpStatus;
    this.exitCode = entry.exitCode;
    this.details = details;
  }
}

export const adminErrorRegistry: Readonly<Record<AdminErrorCode, AdminErrorEntry>> = registry;
