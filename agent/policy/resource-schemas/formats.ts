import { regularExpressionProblem } from '../regular-expression.ts';

/** Named forms of text: regular expressions (ECMAScript, anchored) and what they ask for. */
export interface Format {
  readonly pattern: string;
  /** After "must be". */
  readonly meaning: string;
  /** What no pattern can ask: the fault, after "must be". */
  readonly fault?: (text: string) => string | undefined;
}

/** One field of a cron schedule: `*`, numbers or names, ranges with a step, lists of these. */
function cronField(number: string, names = ''): string {
  const value = names === '' ? number : `(?:${number}|${names})`;
  const item = `(?:(?:\\*|${value}-${value})(?:/[1-9][0-9]{0,3})?|${value})`;
  return `${item}(?:,${item})*`;
}

function anyCase(words: string): string {
  return words
    .split(' ')
    .map((word) => [...word].map((letter) => `[${letter}${letter.toUpperCase()}]`).join(''))
    .join('|');
}

const minute = cronField('[0-5]?[0-9]');
const hour = cronField('(?:[01]?[0-9]|2[0-3])');
const day = cronField('(?:0?[1-9]|[12][0-9]|3[01])');
const month = cronField(
  '(?:0?[1-9]|1[0-2])',
  anyCase('jan feb mar apr may jun jul aug sep oct nov dec'),
);
const weekday = cronField('[0-7]', anyCase('sun mon tue wed thu fri sat'));
/** A part of an image's name: words of lower case, joined by ".", "_", "__" or hyphens. */
const imagePart = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const registryHost = '[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?/';

const nicknames = 'reboot|yearly|annually|monthly|weekly|daily|midnight|hourly';

export const formats = {
  duration: { pattern: '^[0-9]{1,7}[smh]?$', meaning: 'a duration such as 90, 30s, 45m or 4h' },
  'cron-schedule': {
    pattern: `^\\s*(?:@(?:${nicknames})|${[minute, hour, day, month, weekday].join('\\s+')})\\s*$`,
    meaning: 'five cron fields such as "0 3 * * *", or @daily, @reboot, ...',
  },
  'cron-minute': { pattern: `^\\s*${minute}\\s*$`, meaning: 'a cron minute, 0 to 59' },
  'cron-hour': { pattern: `^\\s*${hour}\\s*$`, meaning: 'a cron hour, 0 to 23' },
  'cron-day': { pattern: `^\\s*${day}\\s*$`, meaning: 'a cron day of the month, 1 to 31' },
  'cron-month': { pattern: `^\\s*${month}\\s*$`, meaning: 'a cron month, 1 to 12 or jan to dec' },
  'cron-weekday': {
    pattern: `^\\s*${weekday}\\s*$`,
    meaning: 'a cron day of the week, 0 to 7 or sun to sat',
  },
  'cron-name': {
    pattern: '^[A-Za-z0-9_-]{1,200}$',
    meaning: 'letters, digits, "_" and "-": cron ignores other files',
  },
  environment: { pattern: '^[A-Za-z_][A-Za-z0-9_]*=', meaning: 'KEY=VALUE' },
  'account-name': {
    pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,31}\\$?$',
    meaning: 'an account name: letters, digits, "_", ".", "-", at most 32',
  },
  'account-or-id': {
    pattern: '^(?:[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\\$?)$',
    meaning: 'an account name or a numeric id',
  },
  'file-name': {
    pattern: '^(?!\\.{1,2}$)[^/\\u0000-\\u001f\\u007f]{1,255}$',
    meaning: 'a file name without "/"',
  },
  'one-line': {
    pattern: '^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$',
    meaning: 'one line without control characters',
  },
  url: {
    pattern: '^[A-Za-z][A-Za-z0-9+.-]*://[^\\s]+$',
    meaning: 'a URL such as https://host.example/path',
  },
  sha256: { pattern: '^[0-9A-Fa-f]{64}$', meaning: '64 hexadecimal digits' },
  regex: {
    pattern: '^[\\s\\S]+$',
    meaning: 'a regular expression (ECMAScript)',
    fault: regularExpressionProblem,
  },
  'line-position': {
    pattern: '^(?:end|begin|after:.+|before:.+)$',
    meaning: 'end, begin, after:<regex> or before:<regex>',
    fault: (text: string) => {
      const anchor = /^(?:after|before):(.+)$/s.exec(text)?.[1];
      return anchor === undefined ? undefined : regularExpressionProblem(anchor);
    },
  },
  'port-or-range': {
    pattern: '^[0-9]{1,5}(?:[:-][0-9]{1,5})?$',
    meaning: 'a port such as 443, or a range such as 6000:6007',
  },
  'host-name': {
    pattern:
      '^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$',
    meaning: 'a host name',
  },
  'ip-address': {
    pattern:
      '^(?:(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$',
    meaning: 'an IPv4 or IPv6 address',
  },
  'image-reference': {
    pattern: `^(?:${registryHost})?${imagePart}(?:/${imagePart})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
    meaning: 'the name of an image such as nginx:1.25 or registry.example.com/team/app@sha256:...',
  },
  'container-name': {
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$',
    meaning: 'letters, digits, "_", "." and "-"',
  },
} as const satisfies Readonly<Record<string, Format>>;

export type FormatName = keyof typeof formats;
