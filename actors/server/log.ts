import { writeSync } from 'node:fs';
import { styleText } from 'node:util';
import { type Logger, pino } from 'pino';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'human';
  readonly thread: string;
}

/** Fields that are never written, at the top of an entry or one level below. */
const secretNames = [
  'token',
  'secret',
  'password',
  'authorization',
  'cookie',
  'privateKey',
  'privateKeyPem',
  'keyPem',
  'caKeyPem',
  'authorityKey',
  'bundleSigningKey',
  'bundleSigningKeyPem',
];
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`]);
const standardError = 2;
const timeLength = 8;

/**
 * The log of one thread, on the standard error stream: JSON lines for programs, one short line per
 * event for a person on a terminal. Written synchronously, so that the last words of a crash are there.
 */
export function createLog({ level, format, thread }: LogOptions): Log {
  const human = format === 'human' || (format === 'auto' && process.stderr.isTTY === true);
  const write = (line: string): void => {
    try {
      writeSync(standardError, human ? humanLine(line) : line);
    } catch {
      // A closed or full standard error must not stop the server.
    }
  };
  const redact = { paths: secretPaths, censor: '[secret]' };
  const timestamp = pino.stdTimeFunctions.isoTime;
  return pino({ level, base: { thread }, timestamp, redact }, { write });
}

const colours = {
  10: 'gray',
  20: 'gray',
  30: 'green',
  40: 'yellow',
  50: 'red',
  60: 'red',
} as const;
const marks: Readonly<Record<number, string>> = {
  10: '·',
  20: '·',
  30: '●',
  40: '▲',
  50: '✖',
  60: '✖',
};

function humanLine(line: string): string {
  const { level, time, msg, thread, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const colour = colours[level as keyof typeof colours] ?? 'white';
  const at = styleText('gray', String(time).slice(11, 11 + timeLength));
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ');
  const from = thread === 'main' ? '' : ` ${styleText('gray', String(thread))}`;
  const mark = styleText(colour, marks[level as number] ?? '●');
  return `${at} ${mark}${from} ${msg}${details === '' ? '' : ` ${styleText('gray', details)}`}\n`;
}
