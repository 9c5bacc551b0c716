import type { Operand, Pipe, TemplateNode, TemplateSet } from './ast.ts';

/** A path that the template may read from its data, such as Vars, app, port. */
export interface TemplateReference {
  /** Empty: the data as a whole. */
  readonly root: string;
  /** Below the root; what is read through a variable or index ends where that begins. */
  readonly path: readonly string[];
  readonly offset: number;
}

/**
 * Everything that a rendering can read, whatever the data is. Definitions see only what is passed
 * to them, and that counts as read where it is passed.
 */
export function collectReferences(set: TemplateSet): TemplateReference[] {
  const found: TemplateReference[] = [];
  walk(set.root, true, found);
  return found;
}

/** `dotIsRoot`: `.` is the data itself; false inside range and with. */
function walk(
  nodes: readonly TemplateNode[],
  dotIsRoot: boolean,
  found: TemplateReference[],
): void {
  for (const node of nodes) {
    if (node.kind === 'text' || node.kind === 'break' || node.kind === 'continue') continue;
    if (node.pipe !== undefined) visitPipe(node.pipe, dotIsRoot, found);
    if (node.kind === 'action' || node.kind === 'template') continue;
    walk(node.body, dotIsRoot && node.kind === 'if', found);
    walk(node.otherwise, dotIsRoot, found);
  }
}

function visitPipe(pipe: Pipe, dotIsRoot: boolean, found: TemplateReference[]): void {
  for (const { operands } of pipe.commands) {
    for (const operand of operands) visitOperand(operand, dotIsRoot, found);
  }
}

function visitOperand(operand: Operand, dotIsRoot: boolean, found: TemplateReference[]): void {
  const { offset } = operand;
  if (operand.kind === 'pipe') visitPipe(operand.pipe, dotIsRoot, found);
  if (operand.kind === 'dot' && dotIsRoot) found.push({ root: '', path: [], offset });
  const rooted =
    (operand.kind === 'field' && dotIsRoot) ||
    (operand.kind === 'variable' && operand.name === '$');
  if (!rooted) return;
  const [root = '', ...path] = operand.path;
  found.push({ root, path, offset });
}
