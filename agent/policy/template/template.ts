import type { PolicyValue } from '../../protocol/bundle.ts';
import type { TemplateNode } from './ast.ts';
import { parseNodes } from './parser.ts';
import { collectReferences, type TemplateReference } from './references.ts';
import { Renderer } from './renderer.ts';
import type { ValueMap } from './values.ts';

/** What a template sees as `.`. */
export interface TemplateData {
  readonly Vars: ValueMap;
  readonly Traits: ValueMap;
  /** The element of `foreach`; `Each` is another name for it. */
  readonly Item?: PolicyValue;
  readonly Each?: PolicyValue;
}

/** A parsed template: parse once, render often. */
export interface Template {
  /** Throws AgentError POLICY_TEMPLATE_MISSING_KEY, _EXECUTION or _LIMIT with line and column. */
  render(data: TemplateData): string;
  /** Which paths of the data it reads. An empty root means the data as a whole. */
  references(): readonly TemplateReference[];
}

/** Go text/template without define, template and block. Throws POLICY_TEMPLATE_SYNTAX or _LIMIT. */
export function parseTemplate(source: string): Template {
  const nodes: readonly TemplateNode[] = source.includes('{{')
    ? parseNodes(source)
    : [{ kind: 'text', text: source }];
  return {
    render: (data) => new Renderer(source, { ...data } as ValueMap).run(nodes),
    references: () => collectReferences(nodes),
  };
}

/** True when the text has an action, so that it must be rendered. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}
