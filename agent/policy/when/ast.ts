/** A condition after parsing. Operators nest; a call is a builtin with checked arguments. */
export type WhenNode =
  | { readonly kind: 'or' | 'and'; readonly terms: readonly WhenNode[] }
  | { readonly kind: 'not'; readonly term: WhenNode }
  | WhenCall
  | WhenCompare;

export interface WhenCall {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly string[];
  /** Where the name stands in the text, in UTF-16 units. */
  readonly offset: number;
}

export type WhenOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in';

export interface WhenCompare {
  readonly kind: 'compare';
  readonly operator: WhenOperator;
  readonly left: WhenOperand;
  readonly right: WhenOperand;
  readonly offset: number;
}

/** `traits.os.distro`, `vars.port`, or a value as written. */
export type WhenOperand = WhenPath | WhenLiteral;

export interface WhenPath {
  readonly kind: 'path';
  readonly root: 'traits' | 'vars';
  readonly path: readonly string[];
  readonly offset: number;
}

interface WhenLiteral {
  readonly kind: 'literal';
  readonly value: string | number | boolean;
  readonly offset: number;
}

/** Writes a condition in its shortest standard form; parsing that gives the same tree. */
export function formatWhen(node: WhenNode): string {
  switch (node.kind) {
    case 'or':
      return node.terms.map((term) => group(term, ['or'])).join(' || ');
    case 'and':
      return node.terms.map((term) => group(term, ['or', 'and'])).join(' && ');
    case 'not':
      return `!${group(node.term, ['or', 'and', 'compare'])}`;
    case 'compare':
      return `${formatOperand(node.left)} ${node.operator} ${formatOperand(node.right)}`;
    case 'call':
      if (node.args.length === 0) return node.name;
      return `${node.name}(${node.args.map(quote).join(', ')})`;
  }
}

export function formatOperand(operand: WhenOperand): string {
  if (operand.kind === 'path') return [operand.root, ...operand.path].join('.');
  return typeof operand.value === 'string' ? quote(operand.value) : String(operand.value);
}

function group(node: WhenNode, weaker: readonly string[]): string {
  const text = formatWhen(node);
  return weaker.includes(node.kind) ? `(${text})` : text;
}

function quote(argument: string): string {
  return `'${argument.replace(/[\\']/g, '\\$&')}'`;
}
