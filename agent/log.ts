import { formatTraceparent, type TraceContext } from './protocol/traceparent.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Structured lines. Field values never hold a secret. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
  /** The same logger, with the ids of one exchange in every line. */
  within(trace: TraceContext): Logger;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** For people instead of programs. */
  readonly human: boolean;
  readonly nowMs: () => number;
  readonly write: (line: string) => void;
}

/** JSON lines, or for a terminal "12:00:01 info  message key=value". */
export function createLogger(options: LogOptions, fixed: LogFields = {}): Logger {
  const threshold = logLevels.indexOf(options.level);
  return {
    log(level, message, fields = {}) {
      if (logLevels.indexOf(level) < threshold) return;
      const time = new Date(options.nowMs()).toISOString();
      const all = { ...fields, ...fixed };
      const line = options.human
        ? humanLine(time, level, message, all)
        : JSON.stringify({ time, level, message, ...all });
      options.write(`${line}\n`);
    },
    within(trace) {
      const span = formatTraceparent(trace).slice(36, 52);
      return createLogger(options, { ...fixed, traceId: trace.traceId, spanId: span });
    },
  };
}

/** The ids are for machines; a person sees the short form of the trace only. */
function humanLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const shown = Object.entries(fields)
    .filter(([name]) => name !== 'spanId')
    .map(
      ([name, value]) =>
        `${name}=${name === 'traceId' ? String(value).slice(0, 8) : quoted(value)}`,
    );
  return [time.slice(11, 19), level.padEnd(5), message, ...shown].join(' ');
}

function quoted(value: string | number | boolean): string {
  const text = String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
