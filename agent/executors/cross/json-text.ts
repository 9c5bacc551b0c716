/**
 * JSON as a person wrote it: numbers keep their digits and objects the order of their keys, which
 * JSON.parse would lose (1.0, 12345678901234567890, keys that look like numbers).
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  /** A string, number, true, false or null, as its source text. */
  | { readonly kind: 'literal'; readonly source: string };

const depthLimit = 200;
const space = /[ \t\r\n]*/y;
const literal =
  /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

export class JsonSyntaxError extends Error {
  /** 1-based. */
  readonly line: number;

  constructor(text: string, at: number) {
    super('not JSON');
    this.line = text.slice(0, at).split('\n').length;
  }
}

/** @throws {JsonSyntaxError} */
export function parseJson(text: string): JsonNode {
  const reader = new JsonReader(text);
  return reader.whole();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): JsonNode {
    const node = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#wrong();
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > depthLimit) throw this.#wrong();
    this.#skip();
    if (this.#take('{')) return this.#object(depth);
    if (this.#take('[')) return this.#array(depth);
    return { kind: 'literal', source: this.#literal() };
  }

  #object(depth: number): JsonNode {
    const entries: (readonly [string, JsonNode])[] = [];
    this.#skip();
    if (this.#take('}')) return { kind: 'object', entries };
    do {
      this.#skip();
      const key = this.#text[this.#at] === '"' ? String(JSON.parse(this.#literal())) : undefined;
      this.#skip();
      if (key === undefined || !this.#take(':')) throw this.#wrong();
      entries.push([key, this.#value(depth + 1)]);
      this.#skip();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#wrong();
    return { kind: 'object', entries };
  }

  #array(depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#skip();
    if (this.#take(']')) return { kind: 'array', items };
    do {
      items.push(this.#value(depth + 1));
      this.#skip();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#wrong();
    return { kind: 'array', items };
  }

  #literal(): string {
    literal.lastIndex = this.#at;
    const found = literal.exec(this.#text)?.[0];
    if (found === undefined || !isLiteral(found)) throw this.#wrong();
    this.#at += found.length;
    return found;
  }

  #skip(): void {
    space.lastIndex = this.#at;
    this.#at += space.exec(this.#text)?.[0].length ?? 0;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #wrong(): JsonSyntaxError {
    return new JsonSyntaxError(this.#text, this.#at);
  }
}

/** Control characters within a string are what the pattern lets through. */
function isLiteral(source: string): boolean {
  if (!source.startsWith('"')) return true;
  try {
    return typeof JSON.parse(source) === 'string';
  } catch {
    return false;
  }
}

/** Pretty-printed, as JSON.stringify does with an indent. */
export function printJson(node: JsonNode, indent: number, depth = 0): string {
  if (node.kind === 'literal') return node.source;
  const [open, close] = node.kind === 'object' ? ['{', '}'] : ['[', ']'];
  const parts =
    node.kind === 'object'
      ? node.entries.map(
          ([key, value]) =>
            `${JSON.stringify(key)}:${indent > 0 ? ' ' : ''}${printJson(value, indent, depth + 1)}`,
        )
      : node.items.map((item) => printJson(item, indent, depth + 1));
  if (parts.length === 0) return open + close;
  if (indent === 0) return open + parts.join(',') + close;
  const pad = ' '.repeat(indent * (depth + 1));
  return `${open}\n${parts.map((part) => pad + part).join(',\n')}\n${' '.repeat(indent * depth)}${close}`;
}

/** The same value; the order of keys and the spelling of numbers and strings do not count. */
export function sameJson(a: JsonNode, b: JsonNode): boolean {
  if (a.kind === 'literal')
    return b.kind === 'literal' && (a.source === b.source || sameLiteral(a.source, b.source));
  if (a.kind === 'array')
    return (
      b.kind === 'array' &&
      a.items.length === b.items.length &&
      a.items.every((item, index) => sameJson(item, b.items[index]!))
    );
  if (b.kind !== 'object') return false;
  const others = new Map(b.entries);
  return (
    new Map(a.entries).size === others.size &&
    a.entries.every(([key, value]) => {
      const other = others.get(key);
      return other !== undefined && sameJson(value, other);
    })
  );
}

function sameLiteral(a: string, b: string): boolean {
  const [x, y]: [unknown, unknown] = [JSON.parse(a), JSON.parse(b)];
  // Beyond 2^53 two different numbers parse as one.
  if (typeof x === 'number' && !Number.isSafeInteger(x) && Number.isInteger(x)) return false;
  return x === y;
}
