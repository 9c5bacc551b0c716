import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ServerThreadData } from '../../../actors/server/thread-data.ts';
import { Tracer } from '../../../actors/tracing/tracer.ts';
import type { Ports } from '../../../runtime/ports/ports.ts';
import { AdminError } from '../../errors.ts';
import { ExportQueue, type ExportSpans } from './export-queue.ts';
import { RequestSpans } from './request-spans.ts';

/** What the web thread does with traces. */
export interface Tracing {
  readonly queue: ExportQueue;
  readonly requests: RequestSpans;
}

type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Record<string, unknown>,
) => void;

const headerForm = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e]*)$/;

/**
 * Undefined where server.yaml names no collector: then nothing is loaded. A file that cannot be used
 * stops no server: its spans are dropped, counted and told of.
 */
export async function openTracing(
  data: Pick<ServerThreadData, 'config' | 'version'> & { readonly instance: string },
  ports: Ports,
  log: Log,
): Promise<Tracing | undefined> {
  const { tracing } = data.config;
  if (tracing.endpoint === '') return undefined;
  const queue = new ExportQueue({ clock: ports.clock, log, send: await sender(data, log) });
  const tracer = new Tracer(ports, (span) => queue.add(span));
  return { queue, requests: new RequestSpans(tracer) };
}

async function sender(
  { config, version, instance }: Parameters<typeof openTracing>[0],
  log: Log,
): Promise<ExportSpans> {
  const { endpoint, headersFile, caFile, serviceName, timeoutMs } = config.tracing;
  try {
    const headers = headersFile === '' ? {} : await headersOf(headersFile);
    const authority = caFile === '' ? undefined : await textOf(caFile);
    const { otlpExport } = await import('./otlp-export.ts');
    const resource = {
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': instance,
      'host.name': config.server.hostname || hostname(),
    };
    return otlpExport({ endpoint, headers, authority, timeoutMs, resource, version });
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    const { code, message, remedy } = error;
    log('error', message, { code, remedy });
    return () => Promise.reject(error);
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('TRACING_FILE_UNUSABLE', reason);
  }
}

/** "name: value" on each line; it may hold a credential, so that nobody else may read it. */
async function headersOf(file: string): Promise<Record<string, string>> {
  const text = await textOf(file);
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new AdminError('TRACING_FILE_UNUSABLE', `${file} can be read by others: chmod 600`);
  }
  const headers: Record<string, string> = {};
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = headerForm.exec(line.trimEnd()) ?? [];
    if (name === undefined || value === undefined) {
      const place = `${file}:${at + 1}:1`;
      throw new AdminError('TRACING_FILE_UNUSABLE', `${place}: "name: value" is expected`);
    }
    headers[name] = value;
  }
  return headers;
}
