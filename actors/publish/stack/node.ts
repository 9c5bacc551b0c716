import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';

/** A YAML value that knows where it stands. Aliases are resolved. */
export type StackNode = StackScalar | StackList | StackMap;

interface Positioned {
  readonly file: string;
  readonly offset: number;
}

export interface StackScalar extends Positioned {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** The scalar as written, so that 0644 and 1.10 keep their digits where text is wanted. */
  readonly source: string;
  /** Where the text of the value starts, when its lines are lines of the file. */
  readonly layout: TextLayout | undefined;
}

export interface TextLayout {
  /** 1-based line of the file on which the value's first line stands. */
  readonly line: number;
  /** 1-based column of the value's first line. */
  readonly column: number;
  /** Columns before each later line (block scalars). */
  readonly indent: number;
}

export interface StackList extends Positioned {
  readonly kind: 'list';
  readonly items: readonly StackNode[];
}

export interface StackMap extends Positioned {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, StackEntry>;
}

export interface StackEntry {
  readonly key: Place;
  readonly value: StackNode;
}

export function plainValue(node: StackNode): PolicyValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainValue);
  return plainMap(node);
}

export function plainMap(node: StackMap): Record<string, PolicyValue> {
  return Object.fromEntries(
    [...node.entries].map(([key, entry]) => [key, plainValue(entry.value)]),
  );
}

/** Text of a scalar as its author wrote it; undefined for null, lists and maps. */
export function scalarText(node: StackNode): string | undefined {
  if (node.kind !== 'scalar' || node.value === null) return undefined;
  return typeof node.value === 'string' ? node.value : node.source;
}

/** The place in the file of line and column (1-based) of a scalar's value. */
export function placeInText(node: StackNode, line: number, column: number): Place {
  if (node.kind !== 'scalar' || node.layout === undefined) return node;
  const { layout } = node;
  if (line === 1) return { file: node.file, line: layout.line, column: layout.column + column - 1 };
  return { file: node.file, line: layout.line + line - 1, column: layout.indent + column };
}
