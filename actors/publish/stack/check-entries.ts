import { closestName } from '../../../agent/policy/closest.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Assignment, StackModel } from './model.ts';
import type { NamedReference } from './shape.ts';

/** Looks at entries and what they inherit: patterns never reached, overrides that contradict. */
export function checkEntries(model: StackModel, diagnostics: Diagnostics): void {
  checkPatterns(model, diagnostics);
  checkEnvironments(model, diagnostics);
  for (const assignment of assignmentsOf(model)) checkExclusions(assignment, model, diagnostics);
}

/** Everything that gives modules and variables. */
export function assignmentsOf(model: StackModel): Assignment[] {
  return [
    ...model.entries,
    ...[...model.commons.values()].flat(),
    ...[...model.environments.values()].flatMap((byName) => [...byName.values()]),
  ];
}

/** Warns of patterns that an earlier entry takes all hosts from: first match wins. */
function checkPatterns(model: StackModel, diagnostics: Diagnostics): void {
  const seen = new Map<string, NamedReference>();
  let all: NamedReference | undefined;
  for (const { match } of model.entries) {
    for (const reference of match) {
      const { name, node } = reference;
      const pattern = name.toLowerCase();
      const earlier = all ?? seen.get(pattern);
      if (earlier !== undefined) {
        diagnostics.report(node, {
          code: 'PUBLISH_UNREACHABLE_ENTRY',
          severity: 'warning',
          message: `an earlier entry in ${earlier.node.file} matches every host of "${name}"`,
          related: [{ place: earlier.node, message: `"${earlier.name}" comes first` }],
        });
      }
      if (!seen.has(pattern)) seen.set(pattern, reference);
    }
    all ??= match.find(({ name }) => name === '*' || name === '**');
  }
}

/** An environment that nothing gives anything to is allowed, unless it looks like a slip. */
function checkEnvironments(model: StackModel, diagnostics: Diagnostics): void {
  const known = new Set([
    ...[...model.environments.values()].flatMap((byName) => [...byName.keys()]),
    ...[...model.modules.values()].flatMap(({ environmentVars }) => [...environmentVars.keys()]),
  ]);
  for (const { environment } of model.entries) {
    if (environment === undefined || known.has(environment.name)) continue;
    const suggestion = closestName(environment.name, known);
    if (suggestion === undefined) continue;
    diagnostics.report(environment.node, {
      code: 'PUBLISH_UNKNOWN_ENVIRONMENT',
      severity: 'warning',
      message: `nothing is declared for the environment "${environment.name}"`,
      suggestion,
    });
  }
}

/** One place that gives a module and takes it away again. */
function checkExclusions(assignment: Assignment, model: StackModel, diagnostics: Diagnostics) {
  if (assignment.excludeModules.length === 0) return;
  const given = new Map(assignment.modules.map((reference) => [reference.name, reference]));
  for (const { name, modules } of assignment.roles.map((role) => ({
    name: role.name,
    modules: model.roles.get(role.name)?.modules ?? [],
  }))) {
    // A role less one of its modules is what exclude_modules is for; a role of that one alone is not.
    const [only] = modules;
    if (modules.length === 1 && only !== undefined && !given.has(only.name)) {
      given.set(only.name, { ...only, name });
    }
  }
  for (const { name, node } of assignment.excludeModules) {
    const other = given.get(name);
    if (other === undefined) continue;
    diagnostics.report(node, {
      code: 'PUBLISH_CONTRADICTORY_OVERRIDE',
      message: `the module "${name}" is given and excluded in the same place`,
      related: [{ place: other.node, message: `given here, by "${other.name}"` }],
    });
  }
}
