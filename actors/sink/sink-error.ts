import { ServerError } from '../errors.ts';

/** What a failed SQL statement means to the caller; undefined when it is not the database's. */
export function sinkError(error: unknown): ServerError | undefined {
  if (error instanceof ServerError) return error;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const code = String(error.code);
  if (!code.startsWith('SQLITE_')) return undefined;
  const options = { cause: error, retryAfterMs: sinkRetryAfterMs };
  if (code === 'SQLITE_FULL') return new ServerError('SINK_DISK_FULL', {}, options);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new ServerError('SINK_LOCKED', {}, options);
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new ServerError('SINK_CORRUPT', { reason: error.message }, { cause: error });
  }
  if (code.startsWith('SQLITE_CONSTRAINT')) {
    return new ServerError('SINK_CONFLICT', { reason: error.message }, { cause: error });
  }
  return new ServerError('SINK_IO', { reason: `${code}: ${error.message}` }, options);
}

const sinkRetryAfterMs = 5000;

/** Whether the same write may succeed later without anybody changing it. */
export function isTransient(error: ServerError): boolean {
  return ['SINK_DISK_FULL', 'SINK_LOCKED', 'SINK_IO', 'SINK_CORRUPT'].includes(error.code);
}

/** Whether the database must be opened again before it can work. */
export function needsReopen(error: ServerError): boolean {
  return error.code === 'SINK_IO' || error.code === 'SINK_CORRUPT';
}
