import type { Ports } from '../../runtime/ports/ports.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { spansControl } from '../tracing/messages.ts';
import { SpanBuffer } from '../tracing/span-buffer.ts';
import { Tracer } from '../tracing/tracer.ts';
import type { ServerConfig } from './config/config.ts';
import { webThread } from './thread-data.ts';

const spansDeadlineMs = 5_000;

/** Of a thread that tells the web thread, which exports. Undefined: server.yaml names no collector. */
export function threadTracer(
  { tracing }: ServerConfig,
  ports: Pick<Ports, 'clock' | 'random'>,
  system: () => Pick<ThreadSystem, 'request'> | undefined,
): Tracer | undefined {
  if (tracing.endpoint === '') return undefined;
  const buffer = new SpanBuffer(ports.clock, async (batch) => {
    const joined = system();
    if (joined === undefined) throw new Error('this thread has not joined yet');
    return await joined.request(webThread, spansControl, batch, spansDeadlineMs);
  });
  return new Tracer(ports, (span) => buffer.add(span));
}
