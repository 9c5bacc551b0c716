import type { AgentError } from '../../errors.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { TemplateSet } from './ast.ts';
import { parseNodes } from './parser.ts';
import type { Reads } from './reads.ts';
import { collectReferences, type TemplateReference } from './references.ts';
import { Renderer } from './renderer.ts';
import { staticMistakes } from './static-mistakes.ts';
import { type NameTree, Unknown, type ValueMap } from './values.ts';
import { type Mistake, Watch } from './watch.ts';

type PolicyMap = Readonly<Record<string, PolicyValue>>;

/** What a template sees as `.`. */
export interface TemplateData {
  readonly Vars: PolicyMap;
  readonly Traits: PolicyMap;
  /** The element of `foreach`; `Each` is another name for it. */
  readonly Item?: PolicyValue;
  readonly Each?: PolicyValue;
}

/** A look at a template without a node. */
export interface TemplateCheck {
  readonly mistakes: readonly Mistake[];
  /** What every node will get, when that depends on no trait and nothing is wrong. */
  readonly text: string | undefined;
}

/** A parsed template: parse once, render often. */
export interface Template {
  /**
   * `reads` is told what of the data the text depends on.
   * Throws AgentError POLICY_TEMPLATE_MISSING_KEY, _EXECUTION or _LIMIT with line and column.
   */
  render(data: TemplateData, reads?: Reads): string;
  /**
   * Walks every way that rendering may take when the traits are not known, and names all mistakes.
   * `traitNames` are the traits that there can be.
   */
  check(data: Omit<TemplateData, 'Traits'>, traitNames: NameTree | null): TemplateCheck;
  /** Which paths of the data it can read. */
  references(): readonly TemplateReference[];
  /** What is wrong whatever the data is, though the grammar allows it. */
  mistakes(): readonly AgentError[];
}

/**
 * Go's text/template (1.19) with the helpers of docs/templates.md. Throws POLICY_TEMPLATE_SYNTAX or
 * _LIMIT.
 */
export function parseTemplate(source: string): Template {
  const set: TemplateSet = source.includes('{{')
    ? parseNodes(source)
    : { root: [{ kind: 'text', text: source, offset: 0 }], defined: new Map() };
  return {
    render: (data, reads) => new Renderer(source, set, { ...data } as ValueMap, { reads }).run(),
    check: (data, traitNames) => {
      const watch = new Watch(source);
      const root = { ...data, Traits: new Unknown(traitNames) } as unknown as ValueMap;
      let text = '';
      try {
        text = new Renderer(source, set, root, { watch }).run();
      } catch (error) {
        watch.ended(error);
      }
      return { mistakes: watch.mistakes, text: watch.isExact ? text : undefined };
    },
    references: () => collectReferences(set),
    mistakes: () => staticMistakes(source, set),
  };
}

/** True when the text has an action, so that it must be rendered. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}
