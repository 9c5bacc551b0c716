/** Of what is done to every request; part of the registry in admin/errors.ts. */
export const httpErrors = {
  API_RATE_LIMITED: {
    message: 'too many requests',
    remedy: 'wait as long as Retry-After says; RateLimit headers tell how much is left',
    httpStatus: 429,
    exitCode: 5,
  },
  API_CHANGED_MEANWHILE: {
    message: 'the thing was changed since you read it',
    remedy: 'read it again, look at what changed, and send the write with its new ETag',
    httpStatus: 412,
    exitCode: 1,
  },
  API_CURSOR_GONE: {
    message: 'the row where the page before ended is no longer there',
    remedy: 'read the list from its beginning',
    httpStatus: 410,
    exitCode: 1,
  },
  API_IDEMPOTENCY_CONFLICT: {
    message: 'this Idempotency-Key was used for another request',
    remedy: 'make a new key for each write; keep it only to repeat the same one',
    httpStatus: 422,
    exitCode: 64,
  },
  API_IDEMPOTENCY_RUNNING: {
    message: 'the first request with this Idempotency-Key is still being answered',
    remedy: 'repeat it in a moment; it gets the answer of the first one',
    httpStatus: 409,
    exitCode: 5,
  },
  API_BODY_TYPE: {
    message: 'a body must be JSON, in UTF-8, not compressed',
    remedy: 'send it with "Content-Type: application/json" and without Content-Encoding',
    httpStatus: 415,
    exitCode: 64,
  },
  API_BODY_TOO_DEEP: {
    message: 'the body is nested too deeply',
    remedy: 'no request of this API needs more than 64 levels',
    httpStatus: 400,
    exitCode: 64,
  },
  API_MALFORMED: {
    message: 'this is no HTTP request',
    remedy: 'send HTTP/1.1 over TLS 1.3; look at what a proxy on the way does',
    httpStatus: 400,
    exitCode: 64,
  },
  API_HEAD_TOO_LARGE: {
    message: 'the head of the request is too large',
    remedy: 'send shorter headers: 16 KiB at most, with the address',
    httpStatus: 431,
    exitCode: 64,
  },
  API_TOO_SLOW: {
    message: 'the request did not come in time',
    remedy: 'send the head within 10 seconds and all of it within 30',
    httpStatus: 408,
    exitCode: 5,
  },
  API_HEADER_REPEATED: {
    message: 'a header came twice that may come once',
    remedy: 'send it once; a proxy on the way may have added the other',
    httpStatus: 400,
    exitCode: 64,
  },
  API_METHOD_OVERRIDE: {
    message: 'the method cannot be overridden by a header',
    remedy: 'send the request with the method that you mean',
    httpStatus: 400,
    exitCode: 64,
  },
} as const;
