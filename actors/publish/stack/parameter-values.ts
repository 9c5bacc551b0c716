import type { ParameterSpec } from '../../../agent/policy/resource-schemas/schema.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { plainValue, type StackNode, scalarText } from './node.ts';

/** The parameter's value: text keeps its digits as written where text is wanted. */
export function parameterValue(spec: ParameterSpec | undefined, node: StackNode): PolicyValue {
  const wantsText = spec !== undefined && ['string', 'path', 'mode', 'enum'].includes(spec.kind);
  const text = wantsText ? scalarText(node) : undefined;
  if (text === undefined) return plainValue(node);
  return spec?.kind === 'mode' ? text.replace(/^0o/, '0') : text;
}
