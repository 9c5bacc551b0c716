import { isPrintable } from './go-quote.ts';
import { utf8 } from './values.ts';

const htmlEntities: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
};

export function html(text: string): string {
  return text.replace(/["'&<>\0]/g, (character) => htmlEntities[character]!);
}

/** template.JSEscaper: what is special to JavaScript in HTML, and what cannot be printed. */
export function js(text: string): string {
  return text.replace(/[\\'"<>&=]|[^ -~]/gu, (character) => {
    if (character === '\\' || character === "'" || character === '"') return `\\${character}`;
    if (character === '\x7f') return character;
    if (character >= '\x80' && isPrintable(character)) return character;
    const code = character.codePointAt(0)!;
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

export function urlquery(text: string): string {
  return Array.from(utf8(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(character)) return character;
    return byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
