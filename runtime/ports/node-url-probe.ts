import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { UrlAnswer, UrlProbe } from './url-probe.ts';

/** One request, from the connection to the head of the answer. */
export const requestTimeoutMs = 5_000;
/** All requests for one URL, redirects included. */
export const urlTimeoutMs = 12_000;
export const redirectLimit = 5;

/** HEAD may be refused where GET works; one byte of the body is enough then. */
const headRefused = new Set([400, 403, 404, 405, 501]);
/** There is a server, and what nodes send along may convince it. */
const wantsMore = new Set([401, 403, 407, 416, 429]);

export interface UrlProbeOptions {
  readonly requestTimeoutMs?: number;
  readonly urlTimeoutMs?: number;
  /** Certificates (PEM) to trust besides the usual ones. */
  readonly trusted?: string;
}

/** Asks over the network, HEAD first, then GET with a range. */
export function nodeUrlProbe(options: UrlProbeOptions = {}): UrlProbe {
  return {
    ask: async (url) => {
      const stop = AbortSignal.timeout(options.urlTimeoutMs ?? urlTimeoutMs);
      try {
        return await ask(new URL(url), options, stop);
      } catch (error) {
        const reason = stop.aborted ? 'no answer in time' : messageOf(error);
        return { alive: false, reason };
      }
    },
  };
}

async function ask(start: URL, options: UrlProbeOptions, stop: AbortSignal): Promise<UrlAnswer> {
  let url = start;
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      return { alive: false, reason: `${url.protocol} is neither http nor https` };
    }
    let answer = await send(url, 'HEAD', options, stop);
    if (headRefused.has(answer.status)) answer = await send(url, 'GET', options, stop);
    const { status, text, location } = answer;
    if (status >= 300 && status < 400 && location !== undefined) {
      url = new URL(location, url);
      continue;
    }
    if (status < 400 || wantsMore.has(status)) return { alive: true };
    return { alive: false, reason: `${status} ${text}`.trim() };
  }
  return { alive: false, reason: `more than ${redirectLimit} redirects` };
}

interface Head {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

function send(
  url: URL,
  method: 'HEAD' | 'GET',
  options: UrlProbeOptions,
  stop: AbortSignal,
): Promise<Head> {
  const limit = AbortSignal.timeout(options.requestTimeoutMs ?? requestTimeoutMs);
  const signal = AbortSignal.any([stop, limit]);
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isLinkLocal(host)) return Promise.reject(new Error(linkLocalReason));
  return new Promise((resolve, reject) => {
    const headers = {
      'user-agent': 'vigo-url-check',
      accept: '*/*',
      ...(method === 'GET' ? { range: 'bytes=0-0' } : {}),
    };
    const sent = request(
      url,
      {
        method,
        headers,
        signal,
        agent: false,
        lookup,
        ...(options.trusted === undefined ? {} : { ca: options.trusted }),
      },
      (response: IncomingMessage) => {
        const { statusCode, statusMessage } = response;
        resolve({
          status: statusCode ?? 0,
          text: statusMessage ?? '',
          location: response.headers.location,
        });
        // The body, however long, is not wanted.
        sent.destroy();
      },
    );
    sent.on('error', (error) => reject(limit.aborted ? new Error('no answer in time') : error));
    sent.end();
  });
}

const linkLocalReason = 'link-local addresses are not asked';

/** Cloud platforms answer at link-local addresses with what must not be told. */
function isLinkLocal(address: string): boolean {
  return /^169\.254\.|^fe[89ab][0-9a-f]:|^::ffff:(?:169\.254\.|a9fe:)/i.test(address);
}

const lookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, options, (error, address, family) => {
    const addresses = Array.isArray(address) ? address.map((item) => item.address) : [address];
    const refused = error === null && addresses.some(isLinkLocal);
    callback(refused ? new Error(linkLocalReason) : error, address, family);
  });
};

function messageOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known';
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  return typeof message === 'string' && message !== '' ? message : String(code ?? error);
}
