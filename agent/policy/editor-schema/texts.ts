import { standardLayout } from '../guardrails.ts';
import { templateFunctions } from '../template/functions.ts';
import { type ArgumentKind, whenBuiltins } from '../when/builtins.ts';
import { type JsonSchema, literal, matching } from './json-schema.ts';

/** What is known only when it is rendered, or when the secret is fetched. */
export const deferred = '\\{\\{|secret:';

const doubleQuoted = '"(?:[^"\\\\]|\\\\.)*"';
const backQuoted = '`[^`]*`';
const singleQuoted = "'(?:[^'\\\\]|\\\\.)*'";
const comment = '/\\*(?:[^*]|\\*(?!/))*\\*/';
const inAction = `(?:${comment}|${doubleQuoted}|${backQuoted}|${singleQuoted}|[^"'\`{}/]|/(?!\\*))`;

/** Every action is closed. What is in it only the renderer can tell. */
const closedActions = `^(?:[^{]|\\{(?!\\{)|\\{\\{${inAction}*\\}\\})*$`;

const keywords = [
  ...['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue'],
  ...['true', 'false', 'nil', 'secret_file'],
];

function unknownFunction(): string {
  const known = [...keywords, ...templateFunctions.keys()].join('|');
  const name = `(?!(?:${known})(?![A-Za-z0-9_]))[A-Za-z_]`;
  const start = `\\{\\{-?\\s*${name}`;
  const later = `\\{\\{[^"'\`}]*[|(]\\s*${name}`;
  return `^(?:(?!${start}|${later})[\\s\\S])*$`;
}

const opener = '\\{\\{-?\\s*(?:if|range|with|block|define)(?![A-Za-z0-9_])';
const closer = '\\{\\{-?\\s*end(?![A-Za-z0-9_])';
/** The last opening action has an end after it; that each has its own only the renderer can tell. */
const endsFollow = `^(?!(?:(?!${opener})[\\s\\S])*${opener}(?![\\s\\S]*${closer}))`;

/** No characters that no text has: what a wrong encoding or a forged file leaves behind. */
export const plainText = matching(
  '^[^\\u0000-\\u0008\\u000e-\\u001f\\u007f\\u202a-\\u202e\\u2066-\\u2069\\ufffd]*$',
  'The text has control characters or a wrong encoding.',
);

/** Text that may hold templates. */
export function templateText(): JsonSchema {
  return {
    allOf: [
      plainText,
      matching(endsFollow, 'An if, range, with, block or define has no {{ end }}.'),
      matching(closedActions, 'A template action is not closed: {{ ... }}'),
      matching(unknownFunction(), 'A template uses an unknown function.'),
    ],
  };
}

const argumentPatterns: Readonly<Partial<Record<ArgumentKind, string>>> = {
  path: "/[^']*",
  hour: '(?:2[0-4]|[01]?[0-9])',
  minute: '(?:60|[0-5]?[0-9])',
  monthday: '(?:3[01]|[12][0-9]|0?[1-9])',
  weekday: '(?:[Ss]un|[Mm]on|[Tt]ues|[Ww]ednes|[Tt]hurs|[Ff]ri|[Ss]atur)day',
  mebibytes: '[1-9][0-9]{0,8}',
};

function argument(kind: ArgumentKind): string {
  const own = argumentPatterns[kind];
  if (own === undefined) return `(?:'(?:[^'\\\\]|\\\\.)+'|[A-Za-z0-9_.:/-]+)`;
  return `(?:'${own}'|${own.replace("[^']*", '[A-Za-z0-9_.:/-]*')})`;
}

function call(name: string): string {
  const { parameters, optional = 0 } = whenBuiltins.get(name)!;
  const args = parameters.map(argument);
  const forms: string[] = [];
  for (let count = parameters.length - optional; count <= parameters.length; count += 1) {
    const list = args.slice(0, count).join('\\s*,\\s*');
    const inner = `\\s*\\(\\s*${list}\\s*\\)`;
    forms.push(count === 0 ? `(?:${inner})?` : inner);
  }
  return `${name}(?:${forms.reverse().join('|')})`;
}

/** A condition: the functions with their arguments, comparisons, && || ! and parentheses. */
export function condition(): JsonSchema {
  const calls = [...whenBuiltins.keys()].map(call).join('|');
  const operand = `(?:'(?:[^'\\\\]|\\\\.)*'|-?[0-9][0-9.]*|\\.?[A-Za-z_][A-Za-z0-9_.-]*|true|false)`;
  const comparison = `${operand}\\s*(?:[=!<>]=|[<>]|in(?![A-Za-z0-9_]))\\s*${operand}`;
  const atom = `(?:[!(]\\s*)*(?:${comparison}|(?:${calls})(?![A-Za-z0-9_]))(?:\\s*\\))*`;
  const whole = `^\\s*${atom}(?:\\s*(?:&&|\\|\\|)\\s*${atom})*\\s*$`;
  return {
    type: 'string',
    description: `A condition of ${[...whenBuiltins.keys()].join(', ')} with && || ! ( ).`,
    ...matching(`\\{\\{|${whole}`, 'No condition: unknown function, wrong arguments or syntax.'),
  };
}

/** A command that leaves Vigo alone, as far as its text shows. */
export function harmlessCommand(): JsonSchema {
  const service =
    '(?:systemctl|service|rc-service)\\s[^;&|\\n]*(?:stop|disable|mask|kill)[^;&|\\n]*';
  const order = `(?:${service}|p?kill(?:all)?\\s[^;&|\\n]*|(?:rm|unlink)\\s[^;&|\\n]*)`;
  const message = 'This command would stop or remove Vigo; policy cannot.';
  return matching(
    `^(?![\\s\\S]*${order}(?:vigo-envoy|vigosrv|/(?:sbin|bin|etc|lib|srv)/vigo))`,
    message,
  );
}

/** A path that belongs to nobody but the machine's owner. */
export function unprotectedPath(): JsonSchema {
  const paths = standardLayout.paths.map(literal).join('|');
  return matching(
    `^(?!/*(?:${paths})(?:/|$)|.*/\\.\\.?/.*[Vv][Ii][Gg][Oo])`,
    'This path belongs to Vigo; policy cannot touch it.',
  );
}

/** As `hidden` of publish: what cannot be seen in a name. */
export const visibleName = matching(
  '^(?=.*\\S)(?:(?![\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff])[\\s\\S]){1,200}$',
  'A name has 1 to 200 visible characters.',
);
