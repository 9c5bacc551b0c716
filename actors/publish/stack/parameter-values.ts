import type { ParameterSpec } from '../../../agent/policy/resource-schemas/schema.ts';
import { isTemplate } from '../../../agent/policy/template/template.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { plainValue, type StackNode, scalarText } from './node.ts';

/** The parameter's value: text keeps its digits as written where text is wanted. */
export function parameterValue(spec: ParameterSpec | undefined, node: StackNode): PolicyValue {
  const wantsText = spec !== undefined && ['string', 'path', 'mode', 'enum'].includes(spec.kind);
  const text = wantsText ? scalarText(node) : undefined;
  if (text === undefined) return plainValue(node);
  return spec?.kind === 'mode' ? text.replace(/^0o/, '0') : text;
}

/** Why the value cannot be this parameter, or undefined. Templates are looked at after rendering. */
export function valueError(spec: ParameterSpec, value: PolicyValue): string | undefined {
  if (typeof value === 'string' && (isTemplate(value) || value.startsWith('secret:'))) {
    return undefined;
  }
  const text = typeof value === 'object' ? undefined : String(value);
  switch (spec.kind) {
    case 'string':
      return text === undefined ? 'must be text' : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : 'must be true or false';
    case 'integer':
      return text !== undefined && /^-?\d{1,15}$/.test(text) ? undefined : 'must be a whole number';
    case 'path':
      return pathError(text);
    case 'mode':
      return text !== undefined && /^[0-7]{3,4}$/.test(text)
        ? undefined
        : 'must be an octal mode such as "0644"';
    case 'enum':
      return text !== undefined && spec.values?.includes(text)
        ? undefined
        : `must be one of ${spec.values?.join(', ')}`;
    case 'list':
      return text !== undefined || isFlatList(value) ? undefined : 'must be a list of text';
    case 'map':
      return value !== null && typeof value === 'object' && !Array.isArray(value)
        ? undefined
        : 'must be a map';
  }
}

function pathError(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith('/')) return 'must be an absolute path';
  for (const character of text) {
    if (character < ' ' || character === '\x7f') return 'must not contain control characters';
  }
  return undefined;
}

function isFlatList(value: PolicyValue): boolean {
  return Array.isArray(value) && value.every((item) => item !== null && typeof item !== 'object');
}
