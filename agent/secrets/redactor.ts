/** Stands where a value was. */
export const redacted = '***';
/** Shorter pieces are not looked for in the texts of resources that hold no secret. */
export const redactedLength = 4;
/** A text that was cut may end or begin inside a value; such pieces are looked for from this length on. */
const pieceLength = 4;
/** Forms together that one redactor looks for; beyond it only the values themselves. */
const formLimit = 20_000;

/**
 * Takes secret values out of anything that leaves the agent: the values, their lines, and the forms
 * in which programs print them (JSON, URL, base64, hexadecimal).
 */
export class Redactor {
  readonly #forms: readonly string[];
  readonly #pattern: RegExp | undefined;
  readonly #shortPattern: RegExp | undefined;

  constructor(values: Iterable<string>) {
    const own = [...new Set(values)].filter((value) => value !== '');
    const all = own.flatMap(formsOf);
    this.#forms = [...new Set(all.length > formLimit ? own : all)].sort(
      (a, b) => b.length - a.length,
    );
    this.#shortPattern = patternOf(this.#forms);
    this.#pattern = patternOf(this.#forms.filter((form) => form.length >= redactedLength));
  }

  /** `sensitive`: the text is of a resource that holds a secret, so values of any length are taken out. */
  text(text: string, sensitive = false): string {
    const pattern = sensitive ? this.#shortPattern : this.#pattern;
    if (pattern === undefined || text === '') return text;
    const clean = text.replace(pattern, redacted);
    return sensitive || mayBeCut.test(clean) ? this.#pieces(clean) : clean;
  }

  get isEmpty(): boolean {
    return this.#forms.length === 0;
  }

  /** True when one of the values stands in the text. */
  finds(text: string): boolean {
    return this.#pattern !== undefined && text.search(this.#pattern) !== -1;
  }

  /** What cutting left of a value at either end, or behind and before the mark of a cut. */
  #pieces(text: string): string {
    let clean = text;
    for (const form of this.#forms) {
      if (form.length <= pieceLength) break;
      clean = withoutTail(withoutHead(clean, form), form);
    }
    return clean;
  }
}

/** For an agent that holds no secret. */
export const noRedaction = new Redactor([]);

function patternOf(forms: readonly string[]): RegExp | undefined {
  if (forms.length === 0) return undefined;
  return new RegExp(forms.map((form) => escaped(form)).join('|'), 'g');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const base64 = base64Of(bytes);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const forms = [
    value,
    value.trim(),
    ...(lines.length > 1 ? lines : []),
    lines.filter((line) => line !== '').join('; '),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    value.replaceAll("'", "'\\''"),
  ];
  // Encodings of a few bytes would be found everywhere.
  const encoded =
    bytes.length < redactedLength
      ? []
      : [
          base64.replace(/=+$/, ''),
          base64.replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_'),
          hex,
        ];
  return [...forms, ...encoded].filter(
    (form) => form !== '' && (form === value || form.length > 1),
  );
}

/** Without Buffer, which only the platform knows. */
function base64Of(bytes: Uint8Array): string {
  return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(''));
}

/** Marks of a cut. */
const mayBeCut = /\.\.\.|…/;
const cutBefore = '...';
const cutBehind = '…';

function withoutHead(text: string, form: string): string {
  const marked = text.indexOf(cutBefore);
  const starts = marked === -1 ? [0] : [0, marked + cutBefore.length];
  for (const start of starts) {
    const length = longest(form.length - 1, (size) => text.startsWith(form.slice(-size), start));
    if (length > 0) return text.slice(0, start) + redacted + text.slice(start + length);
  }
  return text;
}

function withoutTail(text: string, form: string): string {
  const end = text.endsWith(cutBehind) ? text.length - cutBehind.length : text.length;
  const head = text.slice(0, end);
  const length = longest(form.length - 1, (size) => head.endsWith(form.slice(0, size)));
  return length === 0 ? text : head.slice(0, end - length) + redacted + text.slice(end);
}

/** The greatest size from `pieceLength` to `most` that fits, or 0. */
function longest(most: number, fits: (size: number) => boolean): number {
  for (let size = most; size >= pieceLength; size -= 1) if (fits(size)) return size;
  return 0;
}
