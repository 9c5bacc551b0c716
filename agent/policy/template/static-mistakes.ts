import type { AgentError } from '../../errors.ts';
import type { Command, Operand, Pipe, TemplateNode, TemplateSet } from './ast.ts';
import { templateFunctions, wantedArguments } from './functions.ts';
import { templateError } from './position.ts';
import { mistakeLimit } from './watch.ts';

/**
 * Mistakes that Go finds only when it executes their place, and that are mistakes whatever the data
 * is: wrong numbers of arguments, templates that nobody defines.
 */
export function staticMistakes(source: string, set: TemplateSet): AgentError[] {
  const found: AgentError[] = [];
  const report = (offset: number, reason: string) => {
    if (found.length >= mistakeLimit) return;
    found.push(templateError('POLICY_TEMPLATE_EXECUTION', source, offset, { reason }));
  };
  const walk = (nodes: readonly TemplateNode[]): void => {
    for (const node of nodes) {
      if (node.kind === 'text' || node.kind === 'break' || node.kind === 'continue') continue;
      if (node.pipe !== undefined) visitPipe(node.pipe, report);
      if (node.kind === 'template' && !set.defined.has(node.name)) {
        report(node.offset, `template ${JSON.stringify(node.name)} is not defined`);
      }
      if (node.kind === 'template' || node.kind === 'action') continue;
      walk(node.body);
      walk(node.otherwise);
    }
  };
  walk(set.root);
  for (const nodes of set.defined.values()) walk(nodes);
  return found;
}

type Report = (offset: number, reason: string) => void;

function visitPipe(pipe: Pipe, report: Report): void {
  for (const [position, command] of pipe.commands.entries()) {
    visitCommand(command, position > 0 ? 1 : 0, report);
  }
}

function visitCommand({ operands }: Command, piped: number, report: Report): void {
  const [first, ...rest] = operands;
  visitOperand(first!, rest.length + piped, report);
  for (const operand of rest) visitOperand(operand, 0, report);
}

function visitOperand(operand: Operand, given: number, report: Report): void {
  if (operand.kind === 'pipe') visitPipe(operand.pipe, report);
  if (operand.kind !== 'function') {
    if (given > 0) report(operand.offset, 'only a function takes arguments');
    return;
  }
  const callee = templateFunctions.get(operand.name)!;
  if (given >= callee.least && given <= callee.most) return;
  report(operand.offset, wantedArguments(operand.name, callee, given));
}
