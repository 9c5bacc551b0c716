import { lookup } from 'node:dns/promises';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls';

const timeoutMs = 5_000;
const answerBytesMax = 1024 * 1024;

/** How far a connection gets, and what it shows: each step only when the one before it went well. */
export interface Probe {
  /** "ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", ...; undefined when the port is open. */
  readonly network?: string;
  /** Why there is no TLS session, with any certificate accepted. */
  readonly tls?: string;
  readonly certificate?: {
    readonly subject: string;
    readonly issuer: string;
    /** SHA-256, hex with colons. */
    readonly fingerprint: string;
    readonly fromMs: number;
    readonly untilMs: number;
    readonly names: string;
    /** Why it is not believed; undefined when it is. */
    readonly refused?: string;
  };
  /** Of GET /healthz; undefined when what answers speaks no HTTP. */
  readonly http?: { readonly isVigo: boolean; readonly status: number; readonly dateMs: number };
}

/** Knocks at the server step by step; never rejects. */
export async function probe(host: string, port: number, caPem: string): Promise<Probe> {
  const network = await tryNetwork(host, port);
  if (network !== undefined) return { network };
  const tls = await tryTls(host, port, caPem);
  if (typeof tls === 'string') return { tls };
  const http = await tryHttp(host, port);
  return { certificate: tls, ...(http === undefined ? {} : { http }) };
}

async function tryNetwork(host: string, port: number): Promise<string | undefined> {
  try {
    await lookup(host);
  } catch (error) {
    return codeOf(error);
  }
  return await new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: timeoutMs });
    const end = (result: string | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end('ETIMEDOUT'));
    socket.once('error', (error) => end(codeOf(error)));
  });
}

function tryTls(
  host: string,
  port: number,
  ca: string,
): Promise<NonNullable<Probe['certificate']> | string> {
  return new Promise((resolve) => {
    const servername = /^[\d.]+$|:/.test(host) ? '' : host;
    const options = { host, port, ca, servername, timeout: timeoutMs, rejectUnauthorized: false };
    const socket = connectTls({ ...options, minVersion: 'TLSv1.3' });
    const end = (result: NonNullable<Probe['certificate']> | string) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => {
      const refused = socket.authorizationError as Error | string | null | undefined;
      const certificate = socket.getPeerCertificate(true);
      end(describe(certificate, refused ? reasonOf(refused) : undefined));
    });
    socket.once('timeout', () => end('it says nothing'));
    socket.once('error', (error) => end(error.message));
    socket.once('close', () => end('it hangs up'));
  });
}

function describe(
  certificate: DetailedPeerCertificate,
  refused: string | undefined,
): NonNullable<Probe['certificate']> {
  return {
    subject: String(certificate.subject?.CN ?? ''),
    issuer: String(certificate.issuer?.CN ?? ''),
    fingerprint: certificate.fingerprint256 ?? '',
    fromMs: Date.parse(certificate.valid_from),
    untilMs: Date.parse(certificate.valid_to),
    names: certificate.subjectaltname ?? '',
    ...(refused === undefined ? {} : { refused }),
  };
}

/** Nothing is sent that a stranger might use, so any certificate will do. */
function tryHttp(host: string, port: number): Promise<Probe['http']> {
  return new Promise((resolve) => {
    const options = { host, port, path: '/healthz', rejectUnauthorized: false, agent: false };
    const call = request({ ...options, timeout: timeoutMs, minVersion: 'TLSv1.3' }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        if (text.length < answerBytesMax) text += chunk.toString();
      });
      answer.on('error', () => resolve(undefined));
      answer.on('end', () =>
        resolve({
          isVigo: answer.statusCode === 200 && /^\{"ok":true/.test(text),
          status: answer.statusCode ?? 0,
          dateMs: Date.parse(answer.headers.date ?? ''),
        }),
      );
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** OpenSSL's code when there is one; Node words a wrong name itself. */
function reasonOf(refused: Error | string): string {
  return typeof refused === 'string' ? refused : codeOf(refused);
}
