import { request } from 'node:http';
import { AgentError } from '../../errors.ts';
import { PlatformError } from '../platform-error.ts';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Of a long report of progress only the end counts. */
  readonly onlyEnd?: boolean;
}

export interface EngineAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const answerLimit = 16 * 1024 * 1024;
const endLimit = 64 * 1024;

/**
 * One request to an HTTP server on a unix socket.
 *
 * @throws {AgentError} AGENT_DOCKER_UNAVAILABLE
 * @throws {PlatformError} ECANCELED, EACCES, EFBIG
 */
export function askEngine(socket: string, wanted: EngineRequest): Promise<EngineAnswer> {
  const { method, path, signal } = wanted;
  const body = wanted.body === undefined ? '' : JSON.stringify(wanted.body);
  const headers = {
    host: 'docker',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...wanted.headers,
  };
  return new Promise((resolve, reject) => {
    const fail = (thrown: Error) => reject(failureOf(thrown, socket, signal));
    const sent = request(
      { socketPath: socket, method, path, headers, signal, agent: false },
      (response) => {
        let chunks: Buffer[] = [];
        let length = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (wanted.onlyEnd === true && length > 2 * endLimit) {
            chunks = [Buffer.concat(chunks).subarray(-endLimit)];
            length = endLimit;
          } else if (length > answerLimit) sent.destroy(new PlatformError('EFBIG', 'read', socket));
        });
        response.on('end', () => {
          if (!response.complete) return fail(new Error('the answer is cut off'));
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}

function failureOf(thrown: Error, socket: string, signal: AbortSignal): Error {
  if (signal.aborted) return new PlatformError('ECANCELED', 'request', socket, thrown);
  if (thrown instanceof PlatformError) return thrown;
  const code = 'code' in thrown ? String(thrown.code) : thrown.message;
  if (code === 'EACCES') return new PlatformError(code, 'connect', socket, thrown);
  return new AgentError(
    'AGENT_DOCKER_UNAVAILABLE',
    { detail: `${socket}: ${code}` },
    { cause: thrown },
  );
}
