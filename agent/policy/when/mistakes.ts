import type { PolicyValue } from '../../protocol/bundle.ts';
import { closestName } from '../closest.ts';
import type { NameTree } from '../template/values.ts';
import { formatOperand, type WhenCompare, type WhenNode, type WhenPath } from './ast.ts';
import { valueAt } from './known.ts';

export interface WhenMistake {
  /** Where in the condition, in UTF-16 units. */
  readonly offset: number;
  readonly reason: string;
  readonly suggestion?: string;
  readonly isMissing: boolean;
  /** What may not be a mistake after all: a trait that this version does not know. */
  readonly doubtful: boolean;
}

/** What the condition reads and what there is not, and comparisons that can never hold. */
export function whenMistakes(
  node: WhenNode,
  vars: Readonly<Record<string, PolicyValue>>,
  traitNames: NameTree,
): WhenMistake[] {
  switch (node.kind) {
    case 'or':
    case 'and':
      return node.terms.flatMap((term) => whenMistakes(term, vars, traitNames));
    case 'not':
      return whenMistakes(node.term, vars, traitNames);
    case 'call':
      return traitCall(node, traitNames);
    case 'compare':
      return [
        ...compared(node, vars),
        ...paths(node).flatMap((path) => missing(path, vars, traitNames)),
      ];
  }
}

function paths({ left, right }: WhenCompare): WhenPath[] {
  return [left, right].filter((operand) => operand.kind === 'path');
}

/** The builtin trait('os.family', ...). */
function traitCall(node: WhenNode & { kind: 'call' }, traitNames: NameTree): WhenMistake[] {
  if (node.name !== 'trait') return [];
  const path = node.args[0]!.split('.');
  return missingTrait({ kind: 'path', root: 'traits', path, offset: node.offset }, traitNames);
}

function missing(
  operand: WhenPath,
  vars: Readonly<Record<string, PolicyValue>>,
  traitNames: NameTree,
): WhenMistake[] {
  if (operand.root === 'traits') return missingTrait(operand, traitNames);
  if (valueAt(vars, operand.path.join('.')) !== undefined) return [];
  const parent = operand.path.slice(0, -1);
  const around = parent.length === 0 ? vars : valueAt(vars, parent.join('.'));
  const names = around !== null && typeof around === 'object' ? Object.keys(around) : [];
  return [mistake(operand, parent, closestName(operand.path.at(-1)!, names), false)];
}

function missingTrait(operand: WhenPath, traitNames: NameTree): WhenMistake[] {
  let names: NameTree | null = traitNames;
  for (const [position, name] of operand.path.entries()) {
    if (names === null) return [];
    if (!Object.hasOwn(names, name)) {
      const closest = closestName(name, Object.keys(names));
      return [mistake(operand, operand.path.slice(0, position), closest, closest === undefined)];
    }
    names = names[name]!;
  }
  return [];
}

function mistake(
  operand: WhenPath,
  parent: readonly string[],
  closest: string | undefined,
  doubtful: boolean,
): WhenMistake {
  const name = formatOperand(operand);
  const isTrait = operand.root === 'traits';
  return {
    offset: operand.offset,
    reason: isTrait ? `${name} is no trait that agents collect` : `${name} is not defined`,
    ...(closest === undefined ? {} : { suggestion: [operand.root, ...parent, closest].join('.') }),
    isMissing: true,
    doubtful,
  };
}

/** A comparison with a variable whose kind of value can never be compared so. */
function compared(node: WhenCompare, vars: Readonly<Record<string, PolicyValue>>): WhenMistake[] {
  const found: WhenMistake[] = [];
  const isOrder = ['<', '<=', '>', '>='].includes(node.operator);
  for (const [side, operand] of [
    ['left', node.left],
    ['right', node.right],
  ] as const) {
    const value =
      operand.kind === 'literal'
        ? operand.value
        : operand.root === 'vars'
          ? valueAt(vars, operand.path.join('.'))
          : undefined;
    if (value === undefined) continue;
    const isCollection = typeof value === 'object' && value !== null;
    const wantsCollection = node.operator === 'in' && side === 'right';
    const wrong = wantsCollection !== isCollection || (isOrder && typeof value === 'boolean');
    if (!wrong) continue;
    const wanted = wantsCollection ? 'a list or a map' : isOrder ? 'a number or text' : 'one value';
    const reason = `${node.operator} needs ${wanted}, and ${formatOperand(operand)} is none`;
    found.push({ offset: operand.offset, reason, isMissing: false, doubtful: false });
  }
  return found;
}
