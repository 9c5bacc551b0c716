/** What Go's unicode.IsPrint accepts: letters, marks, numbers, punctuation, symbols and the space. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

export function isPrintable(character: string): boolean {
  return printable.test(character);
}

/** Go's strconv.Quote, or QuoteToASCII. */
export function quoteText(text: string, ascii = false): string {
  return quoteWith(text, '"', ascii);
}

/** Go's strconv.QuoteRune, or QuoteRuneToASCII. */
export function quoteCharacter(character: string, ascii = false): string {
  return quoteWith(character, "'", ascii);
}

/** Whether the text can stand between backquotes unchanged. */
export function canBackquote(text: string): boolean {
  for (const character of text) {
    if (character === '\uFEFF' || character === '`' || character === '\x7f') return false;
    if (character < ' ' && character !== '\t') return false;
  }
  return true;
}

function quoteWith(text: string, quote: string, ascii: boolean): string {
  let quoted = quote;
  for (const character of text) {
    if (character === quote || character === '\\') quoted += `\\${character}`;
    else if (isPrintable(character) && (!ascii || character < '\x80')) quoted += character;
    else quoted += named[character] ?? escaped(character.codePointAt(0)!);
  }
  return quoted + quote;
}

function escaped(code: number): string {
  const hex = (width: number) => code.toString(16).padStart(width, '0');
  if (code < 0x20 || code === 0x7f) return `\\x${hex(2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
