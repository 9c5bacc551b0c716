import type { BranchNode, CallNode, Pipe, TemplateNode, TemplateSet } from './ast.ts';
import { lexTemplate } from './lexer.ts';
import { PipeParser } from './pipe-parser.ts';
import { unquote } from './quoted.ts';
import { TokenReader } from './token-reader.ts';

/** Templates that one text may define. */
export const definitionLimit = 1000;

type Stop = 'end' | 'else' | 'none';

/** Parses as text/template of Go 1.19 does. Throws POLICY_TEMPLATE_SYNTAX or _LIMIT. */
export function parseNodes(source: string): TemplateSet {
  const reader = new TokenReader(source, lexTemplate(source));
  const defined = new Map<string, readonly TemplateNode[]>();
  const parser = new TreeParser(reader, defined);
  const root = parser.all();
  return { root, defined };
}

/** One tree: the text itself, or a definition. Each has variables and loops of its own. */
class TreeParser {
  readonly #reader: TokenReader;
  readonly #defined: Map<string, readonly TemplateNode[]>;
  readonly #variables: string[] = ['$'];
  readonly #pipes: PipeParser;
  readonly #depth: number;
  #ranges = 0;

  constructor(reader: TokenReader, defined: Map<string, readonly TemplateNode[]>, depth = 0) {
    this.#reader = reader;
    this.#defined = defined;
    this.#depth = depth;
    this.#pipes = new PipeParser(reader, this.#variables);
  }

  all(): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const start = this.#reader.peek();
      if (start.kind === 'end') return nodes;
      if (this.#reader.isDefine()) {
        this.#definition();
        continue;
      }
      const node = this.#textOrAction(this.#depth);
      if (typeof node === 'string') {
        throw this.#reader.error(start.offset, `unexpected {{ ${node} }}`);
      }
      nodes.push(node);
    }
  }

  /** Nodes up to {{ end }} or {{ else }}, which are passed (`else if` up to the if). */
  #list(depth: number, start: number, what: string): { nodes: TemplateNode[]; stop: Stop } {
    const nodes: TemplateNode[] = [];
    for (;;) {
      if (this.#reader.peekNonSpace().kind === 'end') {
        throw this.#reader.error(start, `{{ ${what} }} without {{ end }}`);
      }
      const node = this.#textOrAction(depth);
      if (typeof node === 'string') return { nodes, stop: node };
      nodes.push(node);
    }
  }

  #textOrAction(depth: number): TemplateNode | 'end' | 'else' {
    const token = this.#reader.nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', text: token.text, offset: token.offset };
    if (token.kind !== 'open') throw this.#reader.unexpected(token);
    const first = this.#reader.nextNonSpace();
    const keyword = first.kind === 'keyword' ? first.text : '';
    switch (keyword) {
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(keyword, depth + 1, token.offset);
      case 'template':
        return this.#call(token.offset);
      case 'block':
        return this.#block(token.offset, depth + 1);
      case 'break':
      case 'continue':
        this.#reader.expectClose();
        if (this.#ranges === 0) {
          throw this.#reader.error(token.offset, `{{ ${keyword} }} outside {{ range }}`);
        }
        return { kind: keyword };
      case 'end':
        this.#reader.expectClose();
        return 'end';
      case 'else':
        if (!this.#reader.isKeyword('if')) this.#reader.expectClose();
        return 'else';
    }
    this.#reader.backup();
    return { kind: 'action', pipe: this.#pipes.pipeline('command', 'close') };
  }

  #branch(kind: BranchNode['kind'], depth: number, offset: number): BranchNode {
    this.#reader.checkDepth(depth, offset);
    const scope = this.#variables.length;
    const pipe = this.#pipes.pipeline(kind, 'close');
    if (kind === 'range') this.#ranges += 1;
    const body = this.#list(depth, offset, kind);
    if (kind === 'range') this.#ranges -= 1;
    let otherwise: TemplateNode[] = [];
    if (body.stop === 'else') otherwise = this.#otherwise(kind, depth, offset);
    this.#variables.length = scope;
    return { kind, pipe, body: body.nodes, otherwise, offset };
  }

  #otherwise(kind: BranchNode['kind'], depth: number, offset: number): TemplateNode[] {
    if (this.#reader.isKeyword('if')) {
      const token = this.#reader.nextNonSpace();
      if (kind !== 'if') throw this.#reader.unexpected(token);
      return [this.#branch('if', depth + 1, token.offset)];
    }
    const { nodes, stop } = this.#list(depth, offset, kind);
    if (stop !== 'end') throw this.#reader.error(offset, 'two {{ else }} in one block');
    return nodes;
  }

  #definition(): void {
    const open = this.#reader.nextNonSpace();
    this.#reader.nextNonSpace();
    const name = this.#name();
    this.#reader.expectClose();
    this.#define(name, open.offset, 1);
  }

  #define(name: string, offset: number, depth: number): void {
    this.#reader.checkDepth(depth, offset);
    const tree = new TreeParser(this.#reader, this.#defined, depth);
    const { nodes, stop } = tree.#list(depth, offset, 'define');
    if (stop !== 'end') throw this.#reader.error(offset, 'unexpected {{ else }}');
    const known = this.#defined.get(name);
    if (known !== undefined && !isEmpty(known)) {
      if (isEmpty(nodes)) return;
      throw this.#reader.error(offset, `the template ${JSON.stringify(name)} is defined twice`);
    }
    if (this.#defined.size >= definitionLimit) {
      throw this.#reader.limit(offset, `more than ${definitionLimit} templates`);
    }
    this.#defined.set(name, nodes);
  }

  #call(offset: number): CallNode {
    const name = this.#name();
    const closed = this.#reader.peekNonSpace().kind === 'close';
    if (closed) this.#reader.nextNonSpace();
    const pipe = closed ? undefined : this.#pipes.pipeline('template', 'close');
    return { kind: 'template', name, pipe, offset };
  }

  #block(offset: number, depth: number): CallNode {
    const name = this.#name();
    const pipe: Pipe = this.#pipes.pipeline('block', 'close');
    this.#define(name, offset, depth);
    return { kind: 'template', name, pipe, offset };
  }

  #name(): string {
    const token = this.#reader.nextNonSpace();
    if (token.kind !== 'string') throw this.#reader.unexpected(token);
    const name = unquote(token.text);
    if (name === undefined) throw this.#reader.error(token.offset, 'bad escape in the name');
    return name;
  }
}

/** Go lets a template of nothing but white space be replaced, and replace nothing. */
function isEmpty(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.kind === 'text' && !/[^\s\u0085]|\uFEFF/.test(node.text));
}
