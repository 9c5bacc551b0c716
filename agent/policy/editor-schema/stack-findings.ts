import { conditional, type JsonSchema, never } from './json-schema.ts';
import type { PolicyKind } from './policy-schemas.ts';

/**
 * What only a check of the whole stack, its network and its secrets can find: no rule of a schema
 * could say it, but the value that is wrong can be told by itself. The other classes have rules.
 */
export const wholeStackCodes: readonly string[] = [
  'PUBLISH_CONTRADICTION',
  'PUBLISH_DEAD_URL',
  'PUBLISH_SECRET',
];

/** A key of a map, or an element of a list: by its name, or any of the list. */
export type Step = { readonly key: string } | { readonly elementNamed: string | undefined };

/** A value of a policy file that the validator refused, and the way to it from the top of its file. */
export interface StackFinding {
  readonly kind: PolicyKind;
  /** The module's name, when the file is a module. */
  readonly module?: string | undefined;
  readonly steps: readonly Step[];
  readonly value: unknown;
  readonly message: string;
}

/** Findings that become rules; an editor checks each of them at every key that is typed. */
export const findingLimit = 500;

/** The schemas, which then also refuse what was found, until the value is another one. */
export function flagFindings(
  schemas: Readonly<Record<PolicyKind, JsonSchema>>,
  findings: readonly StackFinding[],
): Record<PolicyKind, JsonSchema> {
  const flag = (kind: PolicyKind): JsonSchema => {
    const own = findings.slice(0, findingLimit).filter((finding) => finding.kind === kind);
    if (own.length === 0) return schemas[kind];
    const present = (schemas[kind].allOf as readonly JsonSchema[] | undefined) ?? [];
    return { ...schemas[kind], allOf: [...present, ...own.map(rule)] };
  };
  return {
    module: flag('module'),
    roles: flag('roles'),
    common: flag('common'),
    environments: flag('environments'),
    vars: flag('vars'),
    stack: flag('stack'),
  };
}

function rule({ module, steps, value, message }: StackFinding): JsonSchema {
  const place = steps.reduceRight(around, never({ const: value }, message));
  return module === undefined ? place : named(module, place);
}

function around(inner: JsonSchema, step: Step): JsonSchema {
  if ('key' in step) return { properties: { [step.key]: inner } };
  const { elementNamed } = step;
  return { items: elementNamed === undefined ? inner : named(elementNamed, inner) };
}

function named(name: string, consequence: JsonSchema): JsonSchema {
  return conditional({ required: ['name'], properties: { name: { const: name } } }, consequence);
}
