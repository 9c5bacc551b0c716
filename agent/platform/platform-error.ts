/**
 * A failed call to the operating system. `code` is the errno name ("ENOSPC", "EACCES", "ENOENT"),
 * or "UNKNOWN". The message holds the operation and the path, never file content.
 */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: string;
  readonly operation: string;
  readonly path: string | undefined;

  constructor(code: string, operation: string, path?: string, cause?: unknown) {
    super(path === undefined ? `${operation}: ${code}` : `${operation} ${path}: ${code}`, {
      cause,
    });
    this.code = code;
    this.operation = operation;
    this.path = path;
  }
}

/** Wraps what Node throws; a PlatformError passes as it is. */
export function platformError(operation: string, path: string | undefined, thrown: unknown) {
  if (thrown instanceof PlatformError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'UNKNOWN';
  return new PlatformError(code, operation, path, thrown);
}
