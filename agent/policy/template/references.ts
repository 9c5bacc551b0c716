import type { Operand, Pipe, TemplateNode } from './ast.ts';
import { templateFunctions } from './functions.ts';

/** A path that the template reads from its data, such as Vars, app, port. */
export interface TemplateReference {
  readonly root: string;
  /** Below the root; what is read through a variable or index ends where that begins. */
  readonly path: readonly string[];
  readonly offset: number;
  /** Read on every rendering, and missing is an error. False inside blocks, and, or, default. */
  readonly certain: boolean;
}

interface Scope {
  /** `.` is the data itself; false inside range and with. */
  readonly dotIsRoot: boolean;
  readonly certain: boolean;
}

export function collectReferences(nodes: readonly TemplateNode[]): TemplateReference[] {
  const found: TemplateReference[] = [];
  walk(nodes, { dotIsRoot: true, certain: true }, found);
  return found;
}

function walk(nodes: readonly TemplateNode[], scope: Scope, found: TemplateReference[]): void {
  for (const node of nodes) {
    if (node.kind === 'action') visitPipe(node.pipe, scope, found);
    if (node.kind !== 'if' && node.kind !== 'range' && node.kind !== 'with') continue;
    visitPipe(node.pipe, scope, found);
    const dotIsRoot = scope.dotIsRoot && node.kind === 'if';
    walk(node.body, { dotIsRoot, certain: false }, found);
    walk(node.otherwise, { ...scope, certain: false }, found);
  }
}

function visitPipe(pipe: Pipe, scope: Scope, found: TemplateReference[]): void {
  const lenient = pipe.commands.some(({ operands: [first] }) => {
    return first!.kind === 'function' && templateFunctions.get(first!.name)!.toleratesMissing;
  });
  for (const { operands } of pipe.commands) {
    const first = operands[0]!;
    const lazy =
      first.kind === 'function' && templateFunctions.get(first.name)!.stopAt !== undefined;
    for (const [position, operand] of operands.entries()) {
      const certain = scope.certain && !lenient && !(lazy && position > 1);
      visitOperand(operand, { ...scope, certain }, found);
    }
  }
}

function visitOperand(operand: Operand, scope: Scope, found: TemplateReference[]): void {
  if (operand.kind === 'pipe') visitPipe(operand.pipe, scope, found);
  const rooted =
    (operand.kind === 'field' && scope.dotIsRoot) ||
    (operand.kind === 'variable' && operand.name === '$');
  if (operand.kind === 'dot' && scope.dotIsRoot) {
    found.push({ root: '', path: [], offset: operand.offset, certain: false });
  }
  if (!rooted) return;
  const [root, ...path] = operand.path;
  found.push({ root: root ?? '', path, offset: operand.offset, certain: scope.certain });
}
