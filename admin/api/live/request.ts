import type { RequestHead } from '../http-edge.ts';

export const eventsPath = '/api/v1/events';

/** True for a request to become a WebSocket (RFC 6455, section 4.2.1). */
export function isWebSocket({ header, method }: RequestHead): boolean {
  return (
    method === 'GET' &&
    header('upgrade')?.toLowerCase() === 'websocket' &&
    header('sec-websocket-version') === '13'
  );
}
