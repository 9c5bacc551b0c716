/** Of live events; part of the registry in admin/errors.ts. */
export const eventErrors = {
  EVENTS_GAP: {
    message: 'events between your last one and now are no longer kept',
    remedy: 'read again what you show; the stream goes on from here',
    httpStatus: 410,
    exitCode: 1,
  },
  EVENTS_TOO_SLOW: {
    message: 'you took events more slowly than they came',
    remedy: 'connect again with the last id that you have, and ask for fewer types',
    httpStatus: 503,
    exitCode: 1,
  },
  EVENTS_TOO_MANY_VIEWERS: {
    message: 'too many streams of events are open',
    remedy: 'close some; one stream may carry several types and envoys',
    httpStatus: 429,
    exitCode: 5,
  },
  EVENTS_CREDENTIAL_ENDED: {
    message: 'the session or token that opened the stream has ended',
    remedy: 'log in again, or use another token',
    httpStatus: 401,
    exitCode: 4,
  },
  EVENTS_SERVER_STOPS: {
    message: 'the server stops or starts anew',
    remedy: 'connect again in a moment with the last id that you have',
    httpStatus: 503,
    exitCode: 5,
  },
  EVENTS_READ_ONLY: {
    message: 'a stream of events takes no messages',
    remedy: 'send requests to the other paths of the API',
    httpStatus: 400,
    exitCode: 1,
  },
  EVENTS_NO_WEBSOCKET: {
    message: 'this path does not become a WebSocket',
    remedy: 'only GET /api/v1/events does, with version 13 of the protocol',
    httpStatus: 400,
    exitCode: 1,
  },
} as const;
