import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';
import type { SourcePlace, VariableExplanation, VariableLayer, VariableSource } from './explain.ts';
import type { VarsDeclaration } from './model.ts';
import type { Layers, ResolvedModule } from './resolve.ts';

/** Every variable of a module with the value in force, what it overrode, and where all of it stands. */
export function explainVariables(
  { declaration, vars, conditionalVars }: ResolvedModule,
  { commons, entry, environments }: Layers,
  placeOf: (place: Place) => SourcePlace,
): VariableExplanation[] {
  const own = declaration.environmentVars.get(entry.environment?.name ?? '');
  // The order of Resolver.resolve, weakest first.
  const sources: (readonly [VariableLayer, VarsDeclaration | undefined])[] = [
    ['module', declaration.vars],
    ...commons.map((common) => ['common', common.vars] as const),
    ['entry', entry.vars],
    ['module-environment', own],
    ...environments.map((environment) => ['environment', environment.vars] as const),
  ];
  return Object.keys(vars)
    .sort()
    .map((name) => {
      const found: VariableSource[] = [];
      for (const [layer, declared] of sources) {
        const place = declared?.places.get(name);
        if (declared === undefined || place === undefined) continue;
        found.unshift({ layer, value: valueIn(declared, name), place: placeOf(place) });
      }
      const [inForce, ...overridden] = found;
      const conditional = conditionalVars.flatMap(({ when, vars: declared }) => {
        const place = declared.places.get(name);
        if (place === undefined) return [];
        return [{ when, value: valueIn(declared, name), place: placeOf(place) }];
      });
      return { name, ...inForce!, overridden, conditional };
    });
}

function valueIn({ values }: VarsDeclaration, name: string): PolicyValue {
  return values[name]!;
}
