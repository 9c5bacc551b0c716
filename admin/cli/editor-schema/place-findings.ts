import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Diagnostic } from '../../../actors/publish/messages.ts';
import type { PolicyKind } from '../../../agent/policy/editor-schema/policy-schemas.ts';
import {
  type StackFinding,
  type Step,
  wholeStackCodes,
} from '../../../agent/policy/editor-schema/stack-findings.ts';

/** The kind of a policy file, by its path in the stack. */
export function policyKindOf(path: string): PolicyKind {
  const name = path.split('/').at(-1);
  if (path.startsWith('modules/')) return 'module';
  if (name === 'roles.vgo' || path.startsWith('roles/')) return 'roles';
  if (name === 'common.vgo') return 'common';
  if (path.startsWith('vars/')) return 'vars';
  return name === 'environments.vgo' || name === 'per_env_overrides.vgo' ? 'environments' : 'stack';
}

/**
 * Finds the values that a validation of the whole stack refused, so that a schema can flag them where
 * they stand. `read` gives the text of a file of the stack, undefined when there is none.
 */
export function placeFindings(
  diagnostics: readonly Diagnostic[],
  read: (path: string) => string | undefined,
): StackFinding[] {
  return diagnostics
    .filter(({ code, severity }) => severity === 'error' && wholeStackCodes.includes(code))
    .flatMap((diagnostic) => {
      const found = place(diagnostic, read(diagnostic.file) ?? '');
      return found === undefined ? [] : [found];
    });
}

function place(diagnostic: Diagnostic, text: string): StackFinding | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    uniqueKeys: false,
    logLevel: 'silent',
    lineCounter: lines,
  });
  const start = lines.lineStarts[diagnostic.line - 1];
  const root = document.contents;
  if (start === undefined || root === null) return undefined;
  const way = wayTo(root, start + diagnostic.column - 1);
  if (way === undefined) return undefined;
  const kind = policyKindOf(diagnostic.file);
  const { message } = diagnostic;
  const module = kind === 'module' ? nameOf(root) : undefined;
  return { kind, module, message, ...way };
}

interface Way {
  readonly steps: readonly Step[];
  readonly value: unknown;
}

/**
 * The way to the value at an offset. What a finding says at the name of a list's element is about the
 * whole element: it is flagged until anything of it changes.
 */
function wayTo(root: Node, offset: number): Way | undefined {
  const steps: Step[] = [];
  let element: Way | undefined;
  let node: Node | null = root;
  for (;;) {
    if (isSeq(node)) {
      const item: Node | undefined = (node.items as Node[]).find((one) => holds(one, offset));
      if (item === undefined) return undefined;
      steps.push({ elementNamed: nameOf(item) });
      element = { steps: [...steps], value: item.toJSON() };
      node = item;
    } else if (isMap(node)) {
      const pair: (typeof node.items)[number] | undefined = node.items.find(
        (one) => holds(one.key as Node, offset) || holds(one.value as Node | null, offset),
      );
      if (!isPair(pair) || !isScalar(pair.key)) return element;
      const key = String(pair.key.value);
      if (key === 'name' && element !== undefined) return element;
      steps.push({ key });
      node = pair.value as Node | null;
    } else {
      return isScalar(node) ? { steps, value: node.value } : undefined;
    }
  }
}

function holds(node: Node | null, offset: number): boolean {
  const range = node?.range;
  return range !== null && range !== undefined && offset >= range[0] && offset < range[1];
}

function nameOf(node: Node): string | undefined {
  const name = isMap(node) ? node.get('name') : undefined;
  return typeof name === 'string' ? name : undefined;
}
