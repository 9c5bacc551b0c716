/** Every refusal and failure that the actor engine can name. Codes are stable; programs match them. */
interface RuntimeErrorEntry {
  /** What happened; `{name}` is replaced by the detail of that name. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** gRPC status to answer with; 13 (INTERNAL) when absent. */
  readonly grpcStatus?: number;
  /** HTTP status to answer with; 500 when absent. */
  readonly httpStatus?: number;
}

/** gRPC status codes, https://grpc.io/docs/guides/status-codes. */
const grpc = { deadline: 4, exhausted: 8, unavailable: 14 };

const registry = {
  RUNTIME_MAILBOX_FULL: {
    message: 'The mailbox of {kind}/{key} holds {limit} messages already',
    remedy: 'Come back later; if it lasts, the actor is slower than its senders.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_DEADLINE: {
    message: '{kind}/{key} did not answer {type} within {deadlineMs} ms',
    remedy: 'Try again; the message may or may not have been handled.',
    grpcStatus: grpc.deadline,
    httpStatus: 504,
  },
  RUNTIME_ACTOR_PARKED: {
    message: '{kind}/{key} failed too often and is parked',
    remedy: 'Read the events of the actor for the cause; it is tried again after a while.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_ACTOR_FAILED: {
    message: '{kind}/{key} failed while handling {type}: {reason}',
    remedy: 'The turn changed nothing. The log has the stack trace.',
  },
  RUNTIME_ACTIVATION_FAILED: {
    message: '{kind}/{key} could not be activated: {reason}',
    remedy: 'The log has the stack trace; the stored state may be unreadable.',
  },
  RUNTIME_COMMIT_FAILED: {
    message: 'The turn of {kind}/{key} could not be stored: {reason}',
    remedy: 'Nothing of the turn was kept. Look for a full disk or a full table; then try again.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_NOT_PLACED: {
    message: '{kind}/{key} is on no shard',
    remedy: 'It is reachable while its connection is up.',
    grpcStatus: grpc.unavailable,
    httpStatus: 409,
  },
  RUNTIME_CLAIM_LOST: {
    message: '{kind}/{key} was claimed by {thread}',
    remedy: 'Its newer connection is on another shard; close this one.',
    grpcStatus: grpc.unavailable,
    httpStatus: 409,
  },
  RUNTIME_UNKNOWN_KIND: {
    message: 'This system has no actor kind {kind}',
    remedy: 'Register the kind at every thread entry.',
  },
  RUNTIME_UNKNOWN_MESSAGE: {
    message: 'Actors of the kind {kind} do not understand {type}',
    remedy: 'Sender and receiver are of different versions.',
  },
  RUNTIME_THREAD_GONE: {
    message: 'The thread {thread} ended or is not there yet',
    remedy: 'It is being replaced; try again.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_LINK_FULL: {
    message: 'The link to {thread} has {limit} messages on their way',
    remedy: 'Come back later; the thread is slower than its senders.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_ASKS_FULL: {
    message: 'This thread waits for {limit} answers already',
    remedy: 'Come back later.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_LIMIT: {
    message: '{what} holds {limit} entries already',
    remedy: 'Come back later; if it lasts, raise the named limit.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_NOT_ENCODABLE: {
    message: 'A message {type} for {kind}/{key} cannot cross threads: {reason}',
    remedy: 'Messages hold plain data only: no functions, no class instances.',
  },
  RUNTIME_TURN_OVER: {
    message: 'The turn of {kind}/{key} has ended; it takes nothing more',
    remedy: 'Await everything inside the handler.',
  },
  RUNTIME_NO_STORE: {
    message: 'The thread {thread} has no store of its own',
    remedy: 'Threads that host actors with timers, mail, events or rows need a store.',
  },
  RUNTIME_STOPPING: {
    message: 'The system is stopping',
    remedy: 'Come back when it is up again.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_START_FAILED: {
    message: 'The thread {thread} did not start: {reason}',
    remedy: 'The log has the stack trace.',
  },
  RUNTIME_JOB_FAILED: {
    message: 'The job {name} failed: {reason}',
    remedy: 'The log has the stack trace.',
  },
  RUNTIME_ASSERTION: {
    message: 'The engine found itself in a state that cannot be: {what}',
    remedy: 'Report it with the stack trace.',
  },
  RUNTIME_STORE_TABLE_FULL: {
    message: 'The table {table} holds {limit} rows already',
    remedy: 'Remove rows, or raise the limit of the table.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
} as const satisfies Record<string, RuntimeErrorEntry>;

export type RuntimeErrorCode = keyof typeof registry;
export type RuntimeErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** A coded failure of the engine. `details` fill the `{name}` places of the message. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;
  readonly details: RuntimeErrorDetails;

  constructor(
    code: RuntimeErrorCode,
    details: RuntimeErrorDetails = {},
    options: { readonly cause?: unknown } = {},
  ) {
    super(fill(registry[code].message, details), options);
    this.code = code;
    this.details = details;
  }

  get remedy(): string {
    return registry[this.code].remedy;
  }

  get grpcStatus(): number {
    const entry: RuntimeErrorEntry = registry[this.code];
    return entry.grpcStatus ?? 13;
  }

  get httpStatus(): number {
    const entry: RuntimeErrorEntry = registry[this.code];
    return entry.httpStatus ?? 500;
  }
}

function fill(template: string, details: RuntimeErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in details ? String(details[name]) : whole,
  );
}

export function isRuntimeErrorCode(code: string): code is RuntimeErrorCode {
  return Object.hasOwn(registry, code);
}

/** Every code with its texts, for the reference page and the test of completeness. */
export function runtimeErrorCodes(): ReadonlyMap<RuntimeErrorCode, RuntimeErrorEntry> {
  return new Map(Object.entries(registry) as [RuntimeErrorCode, RuntimeErrorEntry][]);
}

/** The reason part of a message, from whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Cheap enough to stay on in production. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RuntimeError('RUNTIME_ASSERTION', { what });
}
