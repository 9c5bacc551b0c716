import type { PolicyValue } from '../../protocol/bundle.ts';
import type { ParameterSpec } from './parameter-spec.ts';

/** The names of a type's parameters: `NamesOf<typeof fileSchema.parameters>`. */
export type NamesOf<Table extends readonly ParameterSpec[]> = Table[number]['name'];

interface ValueOfKind {
  string: string | number | boolean;
  boolean: boolean | 'true' | 'false';
  integer: number | string;
  path: string;
  mode: string;
  list: string | readonly (string | number | boolean)[];
  map: Readonly<Record<string, PolicyValue>>;
  enum: string;
}

/** What a parameter may be in policy, templates aside. */
type ValueOf<Spec extends ParameterSpec> = Spec extends {
  readonly values: readonly (infer Value)[];
}
  ? Value
  : ValueOfKind[Spec['kind']];

/** The parameters of a resource as policy writes them: `ParametersOf<typeof fileSchema>`. */
export type ParametersOf<Schema extends { readonly parameters: readonly ParameterSpec[] }> = {
  readonly [Spec in Schema['parameters'][number] as Spec extends { readonly required: true }
    ? Spec['name']
    : never]: ValueOf<Spec>;
} & {
  readonly [Spec in Schema['parameters'][number] as Spec extends { readonly required: true }
    ? never
    : Spec['name']]?: ValueOf<Spec>;
};
