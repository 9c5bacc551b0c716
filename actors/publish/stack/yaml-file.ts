import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
} from 'yaml';
import type { DiagnosticCode, Diagnostics } from './diagnostics.ts';
import type { StackEntry, StackNode, StackScalar, TextLayout } from './node.ts';

/** Nodes of one file after its aliases are followed; a YAML bomb ends here. */
export const nodeLimit = 200_000;
/** Levels of lists and maps. */
export const yamlDepthLimit = 32;

/** Reads one YAML file; undefined when it is empty or has mistakes, which are reported. */
export function parseYamlFile(
  file: string,
  text: string,
  diagnostics: Diagnostics,
): StackNode | undefined {
  const counter = new LineCounter();
  let document: Document.Parsed | undefined;
  try {
    document = parseDocument(file, text, counter, diagnostics);
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
  if (document === undefined) return undefined;
  const mistakes = [...document.errors, ...document.warnings];
  for (const mistake of mistakes) {
    const code: DiagnosticCode =
      mistake.code === 'DUPLICATE_KEY' ? 'PUBLISH_DUPLICATE_KEY' : 'PUBLISH_YAML_SYNTAX';
    diagnostics.report({ file, offset: mistake.pos[0] }, { code, message: mistake.message });
  }
  if (mistakes.length > 0) return undefined;
  const converter = new Converter(file, text, document, counter, diagnostics);
  try {
    return document.contents === null ? undefined : converter.convert(document.contents, 0);
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

/** Values that the parser may have open at once; each level of YAML takes up to three. */
const openLimit = 4 * yamlDepthLimit;

/**
 * What `parseDocument` of the library does, but with its depth bounded: its parser and composer are
 * recursive, and a few thousand levels would be the end of the stack.
 */
function parseDocument(
  file: string,
  text: string,
  counter: LineCounter,
  diagnostics: Diagnostics,
): Document.Parsed | undefined {
  const parser = new Parser(counter.addNewLine);
  function* tokens(): Generator<CST.Token> {
    counter.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (parser.stack.length <= openLimit) continue;
      const message = `more than ${yamlDepthLimit} levels`;
      diagnostics.report({ file, offset: parser.offset }, { code: 'PUBLISH_LIMIT', message });
      throw new TooLarge();
    }
    yield* parser.end();
  }
  const composer = new Composer({ uniqueKeys: true, prettyErrors: false });
  let first: Document.Parsed | undefined;
  for (const document of composer.compose(tokens(), true, text.length)) {
    if (first === undefined) {
      first = document;
      continue;
    }
    const message = 'a file has one document; remove this --- and what is before it, or after it';
    const offset = document.range[0];
    diagnostics.report({ file, offset }, { code: 'PUBLISH_YAML_SYNTAX', message });
    return undefined;
  }
  return first;
}

/** Ends the conversion of a file whose limit has been reported. */
class TooLarge extends Error {}

class Converter {
  readonly #file: string;
  readonly #text: string;
  readonly #document: Document;
  readonly #counter: LineCounter;
  readonly #diagnostics: Diagnostics;
  #count = 0;

  constructor(
    file: string,
    text: string,
    document: Document,
    counter: LineCounter,
    diagnostics: Diagnostics,
  ) {
    this.#file = file;
    this.#text = text;
    this.#document = document;
    this.#counter = counter;
    this.#diagnostics = diagnostics;
  }

  /** `alias`: where the alias stands that led here; `key`: where the key of an empty value does. */
  convert(source: unknown, depth: number, alias?: number, key?: number): StackNode {
    const offset = alias ?? offsetOf(source) ?? key ?? 0;
    this.#bound(offset, depth);
    if (isAlias(source)) {
      return this.convert(source.resolve(this.#document), depth + 1, offset);
    }
    if (isSeq(source)) {
      const items = source.items.map((item) => this.convert(item, depth + 1, alias));
      return { kind: 'list', file: this.#file, offset, items };
    }
    if (isMap(source)) {
      const entries = new Map<string, StackEntry>();
      for (const { key, value } of source.items) {
        const name = isScalar(key) ? String(key.source ?? key.value) : '';
        const place = { file: this.#file, offset: alias ?? offsetOf(key) ?? offset };
        if (!isScalar(key) || typeof key.value === 'object') {
          const message = 'a key must be plain text';
          this.#diagnostics.report(place, { code: 'PUBLISH_WRONG_SHAPE', message });
          continue;
        }
        entries.set(name, {
          key: place,
          value: this.convert(value, depth + 1, alias, place.offset),
        });
      }
      return { kind: 'map', file: this.#file, offset, entries };
    }
    return this.#scalar(source, offset, alias);
  }

  #scalar(source: unknown, offset: number, alias: number | undefined): StackScalar {
    const value = isScalar(source) ? source.value : null;
    const known =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return {
      kind: 'scalar',
      file: this.#file,
      offset,
      value: known ? value : null,
      source: (isScalar(source) ? source.source : undefined) ?? String(value ?? ''),
      layout:
        alias === undefined && isScalar(source) ? this.#layout(source.type, offset) : undefined,
    };
  }

  #layout(type: string | undefined, offset: number): TextLayout | undefined {
    const { line, col } = this.#counter.linePos(offset);
    if (type === 'PLAIN') return { line, column: col, indent: 0 };
    if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') {
      return { line, column: col + 1, indent: 0 };
    }
    if (type !== 'BLOCK_LITERAL') return undefined;
    const start = this.#text.indexOf('\n', offset) + 1;
    const indent =
      /^(?: *\r?\n)*( *)/.exec(this.#text.slice(start, start + 4096))?.[1]?.length ?? 0;
    return { line: line + 1, column: indent + 1, indent };
  }

  #bound(offset: number, depth: number): void {
    this.#count += 1;
    const over =
      this.#count > nodeLimit
        ? `more than ${nodeLimit} values after following the aliases`
        : depth > yamlDepthLimit
          ? `more than ${yamlDepthLimit} levels`
          : undefined;
    if (over === undefined) return;
    this.#diagnostics.report(
      { file: this.#file, offset },
      { code: 'PUBLISH_LIMIT', message: over },
    );
    throw new TooLarge();
  }
}

function offsetOf(source: unknown): number | undefined {
  const range = (source as { range?: readonly number[] | null } | null)?.range;
  return range?.[0];
}
