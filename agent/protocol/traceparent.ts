import { fromHex, toHex } from './bytes.ts';

/** W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits; the parent's span. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** No known version is longer; a longer one is not worth parsing. */
const traceparentLimit = 256;

/** Undefined when the text is not a valid traceparent of version 00 or a compatible later one. */
export function parseTraceparent(text: string): TraceContext | undefined {
  if (text.length > traceparentLimit) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = match as unknown as string[];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return {
    traceId: traceId!,
    spanId: spanId!,
    sampled: (fromHex(flags!)![0]! & 1) === 1,
  };
}

export type RandomBytes = (length: number) => Uint8Array;

/** A new trace with its first span. */
export function makeTrace(randomBytes: RandomBytes): TraceContext {
  return { traceId: randomId(randomBytes, 16), spanId: randomId(randomBytes, 8), sampled: true };
}

/** A new span in the parent's trace. */
export function childTrace(parent: TraceContext, randomBytes: RandomBytes): TraceContext {
  return { ...parent, spanId: randomId(randomBytes, 8) };
}

export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`;
}

/** All zeros is not a valid id. */
function randomId(randomBytes: RandomBytes, length: number): string {
  const bytes = Uint8Array.from(randomBytes(length));
  if (bytes.every((byte) => byte === 0)) bytes[length - 1] = 1;
  return toHex(bytes);
}
