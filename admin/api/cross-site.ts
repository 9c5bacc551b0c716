import { AdminError } from '../errors.ts';
import type { RequestHead } from './http-edge.ts';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what another site makes a browser send (API_CROSS_SITE): every write that the browser calls
 * foreign; and, with a cookie, also one of which the browser says nothing, because what sends a
 * cookie is a browser, and each that is still in use says where a write comes from. `upgrade` is for
 * WebSocket handshakes: a GET that must be as safe as a write.
 */
export function refuseCrossSite(
  head: RequestHead,
  proof: 'cookie' | 'none',
  upgrade = false,
): void {
  if (reading.has(head.method) && !upgrade) return;
  const site = head.header('sec-fetch-site');
  const origin = head.header('origin');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new AdminError('API_CROSS_SITE', `the browser says ${JSON.stringify(site.slice(0, 40))}`);
  }
  if (origin !== undefined && origin !== `https://${head.header('host') ?? ''}`) {
    throw new AdminError('API_CROSS_SITE', `it comes from ${JSON.stringify(origin.slice(0, 200))}`);
  }
  if (proof === 'cookie' && site === undefined && origin === undefined) {
    throw new AdminError('API_CROSS_SITE', 'it has a session cookie and no Origin');
  }
}
