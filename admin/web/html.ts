/** Markup that is safe to send: made by `html`, whose values are text unless they are markup. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template. Nothing and `false` leave no trace; lists stand one after the other. */
export type HtmlValue = string | number | bigint | Html | undefined | null | false | HtmlList;
type HtmlList = readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
const special = /[&<>"'`]/g;
/**
 * Characters that change what stands around them, or cannot be seen: controls (ANSI escapes begin
 * with one), bidirectional overrides, halves of surrogate pairs, separators of lines.
 */
const unseen = /(?![\t\n])[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

/**
 * A template of markup: `html\`<b>${name}</b>\``. Every value is escaped, so that it is text whatever
 * it holds; attributes must stand in quotes. Only values of `html` itself stay markup.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = parts[0] ?? '';
  values.forEach((value, at) => {
    text += textOf(value) + (parts[at + 1] ?? '');
  });
  return new Html(text);
}

/** Most texts: printable ASCII without a character of markup. */
const harmless = /^[ !#-%(-;=?-_a-~]*$/;

/** Text as markup that shows exactly it; what could not be seen is shown as its number. */
export function escapeText(text: string): string {
  if (harmless.test(text)) return text;
  const visible = text.replaceAll(unseen, picture);
  return visible.replaceAll(special, (character) => entities[character] ?? '');
}

/** Markup of our own that no `html` made, such as the SVG of a library. Never anything that came in. */
export function ownMarkup(text: string): Html {
  return new Html(text);
}

export const nothing = new Html('');

function textOf(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'object') return value.map(textOf).join('');
  return typeof value === 'string' ? escapeText(value) : String(value);
}

/** Controls as in a C string, the others by their number. */
function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\r') return '';
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}
