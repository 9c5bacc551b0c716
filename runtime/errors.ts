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
  RUNTIME_STORE_KEY: {
    message: 'A key for the table {table} is not usable: {reason}',
    remedy: 'Keys are at most 511 bytes of well-formed UTF-8; hash longer ones.',
  },
  RUNTIME_STORE_VALUE: {
    message: 'A value for the table {table} cannot be stored: {reason}',
    remedy: 'Store plain data of at most 8 MiB; split larger values.',
  },
  RUNTIME_STORE_BUSY: {
    message: 'The store has {limit} operations waiting already',
    remedy: 'Come back later; if it lasts, the disk is slower than the writers.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_STORE_MAP_FULL: {
    message: 'The store {directory} has used its {limit} bytes',
    remedy: 'Remove rows, or raise the map limit of the store. Reading and removing still work.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_STORE_READERS_FULL: {
    message: 'The store {directory} has no free reader slot',
    remedy: 'Close readers that nobody uses, or raise the reader limit of the store.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
  },
  RUNTIME_STORE_DISK_FULL: {
    message: 'The disk under the store {directory} is full',
    remedy:
      'Free space. Nothing of the write was kept; reading works, and writing again with space.',
    grpcStatus: grpc.exhausted,
    httpStatus: 507,
  },
  RUNTIME_STORE_CORRUPTED: {
    message: 'The store holds bytes that nobody wrote: {reason}',
    remedy: 'Restart the thread: a damaged store is moved aside and its state rebuilt.',
  },
  RUNTIME_STORE_FORMAT: {
    message: 'The store has format {found}, this version reads {expected}',
    remedy: 'It is moved aside and rebuilt; start the version that wrote it to read it.',
  },
  RUNTIME_STORE_FAILED: {
    message: 'The store {directory} failed and takes nothing more: {reason}',
    remedy: 'Restart its thread. Only what was acknowledged as durable is certain; check the disk.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_STORE_CLOSED: {
    message: 'The store {directory} is closed',
    remedy: 'Its thread is stopping; come back when it is up again.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_STORE_OPEN_FAILED: {
    message: 'The store {directory} cannot be opened: {reason}',
    remedy: 'Look at the permissions of the directory and at the disk.',
    grpcStatus: grpc.unavailable,
    httpStatus: 503,
  },
  RUNTIME_OUTBOX_FULL: {
    message: 'The outbox holds {limit} events that the sink has not taken',
    remedy: 'Come back later; if it lasts, look at the sink and its database.',
    grpcStatus: grpc.exhausted,
    httpStatus: 503,
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
