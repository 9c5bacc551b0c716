import type { PolicyValue } from '../protocol/bundle.ts';

/**
 * The few shapes of YAML 1.2 that imported policy needs: plain and double-quoted scalars (JSON's,
 * of which YAML is a superset), literal blocks, lists and maps in block style.
 */
export function yamlEntry(key: string, value: PolicyValue, indent: string): string {
  const name = `${indent}${yamlKey(key)}:`;
  if (typeof value === 'string') {
    const block = literalBlock(value, `${indent}  `);
    return block === undefined ? `${name} ${scalar(value)}\n` : `${name} ${block}`;
  }
  if (value === null || typeof value !== 'object') return `${name} ${String(value)}\n`;
  if (Array.isArray(value)) {
    if (value.length === 0) return `${name} []\n`;
    return `${name}\n${value.map((item) => `${indent}  - ${flow(item)}\n`).join('')}`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return `${name} {}\n`;
  return `${name}\n${entries.map(([inner, one]) => yamlEntry(inner, one, `${indent}  `)).join('')}`;
}

/** A comment of one line, whatever the text holds. */
export function yamlComment(text: string, indent: string): string {
  return `${indent}# ${text.replace(unprintable, '?').replace(/\n/g, ' ')}\n`;
}

/** Everything that YAML does not allow unescaped, or that a reader would not see. */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
const plain = /^[A-Za-z/][A-Za-z0-9 _./@+-]*$/;
/** Words that YAML 1.1 or 1.2 readers take for something else than text. */
const reserved = /^(?:y|n|yes|no|true|false|on|off|null|nan|inf)$/i;

function scalar(text: string): string {
  if (plain.test(text) && !reserved.test(text) && !text.endsWith(' ')) return text;
  return JSON.stringify(text).replace(unprintable, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function yamlKey(key: string): string {
  return scalar(key);
}

function flow(value: PolicyValue): string {
  if (typeof value === 'string') return scalar(value);
  return JSON.stringify(value).replace(unprintable, escaped);
}

/** Text of several lines as people write it; undefined where only quotes keep every byte. */
function literalBlock(text: string, indent: string): string | undefined {
  const body = text.replace(/\n+$/, '');
  if (!text.includes('\n') || body === '' || /^\n*[ \t]/.test(body)) return undefined;
  if (text.search(unprintable) >= 0 || /\p{Surrogate}/u.test(text)) return undefined;
  const trailing = text.length - body.length;
  const chomping = trailing === 0 ? '-' : trailing === 1 ? '' : '+';
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return `|${chomping}\n${lines.join('\n')}\n${'\n'.repeat(Math.max(0, trailing - 1))}`;
}
