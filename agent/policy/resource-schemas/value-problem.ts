import type { PolicyValue } from '../../protocol/bundle.ts';
import { isTemplate } from '../template/template.ts';
import { type Format, formats } from './formats.ts';
import type { ParameterSpec } from './parameter-spec.ts';

/** True when the value is known only later: a template to render, or a reference to a secret. */
export function isDeferred(value: PolicyValue | undefined): boolean {
  return typeof value === 'string' && (isTemplate(value) || value.includes('secret:'));
}

/** Why the value cannot be this parameter, after its name, or undefined. Never quotes the value. */
export function valueProblem(spec: ParameterSpec, value: PolicyValue): string | undefined {
  if (isDeferred(value)) return undefined;
  const text = typeof value === 'object' ? undefined : String(value);
  switch (spec.kind) {
    case 'string':
      return text === undefined ? 'must be text' : formProblem(spec, text);
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : 'must be true or false';
    case 'integer':
      return integerProblem(spec, text);
    case 'path':
      return pathProblem(text) ?? formProblem(spec, text ?? '');
    case 'mode':
      return text !== undefined && /^[0-7]{3,4}$/.test(text)
        ? undefined
        : 'must be an octal mode such as "0644"';
    case 'enum':
      return text !== undefined && spec.values?.includes(text)
        ? undefined
        : `must be one of ${spec.values?.join(', ')}`;
    case 'list':
      return listProblem(spec, value);
    case 'map':
      return value !== null && typeof value === 'object' && !Array.isArray(value)
        ? undefined
        : 'must be a map';
  }
}

/** The forms that the text must have: the named one and the type's own. */
export function formsOf(spec: ParameterSpec): Format[] {
  const named: Format[] = spec.format === undefined ? [] : [formats[spec.format]];
  const { pattern, patternMeaning } = spec;
  const own = pattern === undefined ? [] : [{ pattern, meaning: patternMeaning ?? 'of its form' }];
  return [...named, ...own];
}

function formProblem(spec: ParameterSpec, text: string): string | undefined {
  // An empty text is an unset parameter; whether it may be unset is asked elsewhere.
  if (text === '') return undefined;
  for (const form of formsOf(spec)) {
    const missed = missedForm(form, text);
    if (missed !== undefined) return `must be ${missed}`;
  }
  return undefined;
}

/** What the text would have to be, when it has not this form. */
export function missedForm({ pattern, meaning, fault }: Format, text: string): string | undefined {
  return new RegExp(pattern, 'u').test(text) ? fault?.(text) : meaning;
}

function integerProblem(spec: ParameterSpec, text: string | undefined): string | undefined {
  const { minimum, maximum } = spec;
  const number = text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= (minimum ?? -Infinity) && number <= (maximum ?? Infinity)) return undefined;
  if (minimum !== undefined && maximum !== undefined) {
    return `must be a whole number from ${minimum} to ${maximum}`;
  }
  if (minimum !== undefined) return `must be a whole number of at least ${minimum}`;
  return maximum === undefined
    ? 'must be a whole number'
    : `must be a whole number of at most ${maximum}`;
}

function pathProblem(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith('/')) return 'must be an absolute path';
  for (const character of text) {
    if (character < ' ' || character === '\x7f') return 'must not contain control characters';
  }
  return undefined;
}

function listProblem(spec: ParameterSpec, value: PolicyValue): string | undefined {
  const isFlat = Array.isArray(value)
    ? value.every((item) => item !== null && typeof item !== 'object')
    : value !== null && typeof value !== 'object';
  if (!isFlat) return 'must be a list of text';
  const items = Array.isArray(value) ? value.map(String) : String(value).split(',');
  for (const item of items) {
    const problem = isDeferred(item) ? undefined : formProblem(spec, item.trim());
    if (problem !== undefined) return `${problem} in each item`;
  }
  return undefined;
}
