import { parseTemplate, type TemplateData } from '../../agent/policy/template/template.ts';
import { formatWhen } from '../../agent/policy/when/ast.ts';
import { evaluateKnown } from '../../agent/policy/when/known.ts';
import { parseWhen } from '../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { Verdict } from './messages.ts';

export type Traits = Readonly<Record<string, PolicyValue>>;

/**
 * Whether a condition holds on a node of these traits, as far as that can be known without asking the
 * node: by the very builtins that the node uses. A condition that does not parse is for validate to
 * report; here it is "node".
 */
export async function conditionVerdict(
  text: string,
  data: Omit<TemplateData, 'Traits'>,
  traits: Traits | undefined,
): Promise<Verdict> {
  const rendered = renderKnown(text, data, traits);
  if (rendered === undefined) return { state: 'node', why: `when ${text} depends on traits` };
  try {
    const { node } = parseWhen(rendered);
    const { value, decided } = await evaluateKnown(node, { traits, vars: data.Vars });
    const why = formatWhen(decided);
    if (value === true) return { state: 'in', why: '' };
    if (value === false) return { state: 'out', why: `${why} does not hold` };
    return { state: 'node', why: `${why} is known on the node only` };
  } catch {
    return { state: 'node', why: `when ${rendered} cannot be read` };
  }
}

/** The text as this node renders it; undefined when that needs traits that are not known. */
export function renderKnown(
  text: string,
  data: Omit<TemplateData, 'Traits'>,
  traits: Traits | undefined,
): string | undefined {
  if (!text.includes('{{')) return text;
  try {
    const template = parseTemplate(text);
    if (traits === undefined) return template.check(data, null).text;
    return template.render({ ...data, Traits: traits });
  } catch {
    return undefined;
  }
}
