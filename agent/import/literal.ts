import type { PolicyValue } from '../protocol/bundle.ts';

/**
 * Text that means itself in policy: "{{" would open a template and "secret:name" would be a
 * reference, so both are written as templates that give them back.
 */
export function literalText(text: string): string {
  return text
    .replaceAll('{{', '{{"{{"}}')
    .replace(/(?<!\w)secret:(?=[A-Za-z0-9_])/g, '{{"secret"}}:');
}

export function literalValue(value: PolicyValue): PolicyValue {
  if (typeof value === 'string') return literalText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(literalValue);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, literalValue(one)]));
}
