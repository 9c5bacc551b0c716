import type { PolicyValue } from '../../protocol/bundle.ts';
import { formats } from './formats.ts';
import type { ParameterSpec } from './parameter-spec.ts';
import type { Requirement, ResourceSchema } from './schema.ts';
import { isDeferred, missedForm } from './value-problem.ts';

/** Parameters that do not go together, or that lack one another. */
export type CombinationProblem =
  /** One of `names` must be given; `because` says when, unless it is always so. */
  | { readonly kind: 'missing'; readonly names: readonly string[]; readonly because?: string }
  /** Of `names`, all given, at most one may be. */
  | { readonly kind: 'exclusive'; readonly names: readonly string[] }
  /** With the others as they are, `name` must be what `missed` says. */
  | { readonly kind: 'form'; readonly name: string; readonly missed: string };

/** Every way in which the given parameters do not make a resource of the type. */
export function combinationProblems(
  schema: ResourceSchema,
  given: ReadonlyMap<string, PolicyValue>,
): CombinationProblem[] {
  const problems: CombinationProblem[] = [];
  const missed = new Set<string>();
  const need = (names: readonly string[], because?: string) => {
    if (names.some((name) => given.has(name) || missed.has(name))) return;
    if (names.length === 1) missed.add(names[0]!);
    problems.push({ kind: 'missing', names, ...(because === undefined ? {} : { because }) });
  };
  for (const { name, required } of schema.parameters) if (required) need([name]);
  const state = given.get('state');
  if (state !== 'absent' && !isDeferred(state)) {
    for (const name of schema.requiredUnlessAbsent ?? []) need([name]);
  }
  for (const { when, needs } of schema.requires ?? []) {
    if (!holds(schema.parameters, when, given)) continue;
    for (const name of needs) need([name], `${when.parameter} ${when.values.join(' or ')}`);
  }
  for (const group of schema.oneOf ?? []) need(group);
  for (const group of schema.exclusive ?? []) {
    const names = group.filter((name) => given.has(name));
    if (names.length > 1) problems.push({ kind: 'exclusive', names });
  }
  for (const { when, parameter, format } of schema.forms ?? []) {
    const value = given.get(parameter);
    if (value === undefined || isDeferred(value)) continue;
    const missed = missedForm(formats[format], String(value));
    if (missed !== undefined && holds(schema.parameters, when, given))
      problems.push({ kind: 'form', name: parameter, missed });
  }
  return problems;
}

function holds(
  parameters: readonly ParameterSpec[],
  when: Requirement['when'],
  given: ReadonlyMap<string, PolicyValue>,
): boolean {
  const spec = parameters.find(({ name }) => name === when.parameter);
  const value = given.get(when.parameter) ?? spec?.default;
  return value !== undefined && !isDeferred(value) && when.values.includes(String(value));
}
