interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

/** Where a value does not fit a schema of the API's document; fields that the schema lacks count too. */
export function misfits(schema: unknown, value: unknown, document: object, at = ''): string[] {
  const given = schema as Schema;
  const { $ref: reference } = given;
  if (reference !== undefined) return misfits(follow(reference, document), value, document, at);
  if (given.anyOf !== undefined) {
    const tries = given.anyOf.map((each) => misfits(each, value, document, at));
    return tries.find((found) => found.length === 0) ?? tries[0] ?? [];
  }
  if ('const' in given) return given.const === value ? [] : [`${at} is not ${given.const}`];
  if (given.enum !== undefined && !given.enum.includes(value)) return [`${at}: ${value} is new`];
  if (given.type !== undefined && !isOfType(given.type, value))
    return [`${at} is no ${given.type}`];
  if (Array.isArray(value)) {
    const { items = {} } = given;
    return value.flatMap((each, index) => misfits(items, each, document, `${at}/${index}`));
  }
  if (typeof value !== 'object' || value === null) return [];
  return fieldMisfits(given, value as Record<string, unknown>, document, at);
}

function fieldMisfits(
  { properties = {}, required = [], additionalProperties, type }: Schema,
  value: Record<string, unknown>,
  document: object,
  at: string,
): string[] {
  const missing = required
    .filter((name) => !(name in value))
    .map((name) => `${at}/${name} is missing`);
  const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const isOpen = rest !== undefined || type === undefined;
  const wrong = Object.entries(value).flatMap(([name, each]) => {
    const known = properties[name] ?? rest;
    if (known !== undefined) return misfits(known, each, document, `${at}/${name}`);
    return isOpen ? [] : [`${at}/${name} is not described`];
  });
  return [...missing, ...wrong];
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function follow(reference: string, document: object): unknown {
  const parts = reference.split('/').slice(1);
  return parts.reduce<unknown>((found, part) => (found as Record<string, unknown>)[part], document);
}
