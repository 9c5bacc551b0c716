import { AdminError } from '../../errors.ts';

const fieldsMax = 100;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Leaves of an answer what `fields` names, with commas: of each of its `items` when it is a page, of
 * itself otherwise. `known`: the fields that the answer may have. Throws API_BAD_REQUEST.
 */
export function selectFields(answer: unknown, fields: string, known: readonly string[]): unknown {
  const wanted = [...new Set(fields.split(',').map((field) => field.trim()))];
  if (wanted.length > fieldsMax) {
    throw new AdminError('API_BAD_REQUEST', `fields names more than ${fieldsMax}`);
  }
  const strange = wanted.find((field) => !known.includes(field));
  if (strange !== undefined) {
    const detail = `fields: there is no ${JSON.stringify(strange.slice(0, 100))}; there are ${known.join(', ')}`;
    throw new AdminError('API_BAD_REQUEST', detail, { known });
  }
  const pick = (value: unknown): unknown =>
    isObject(value)
      ? Object.fromEntries(
          wanted.filter((field) => field in value).map((field) => [field, value[field]]),
        )
      : value;
  if (!isObject(answer) || !Array.isArray(answer.items)) return pick(answer);
  return { ...answer, items: answer.items.map(pick) };
}

/**
 * The fields that a JSON Schema of an answer lets `selectFields` choose from. `resolve`: follows a
 * reference, when the schema is one.
 */
export function selectableFields(
  schema: unknown,
  resolve: (schema: unknown) => unknown,
): readonly string[] {
  const properties = propertiesOf(resolve(schema));
  if (properties === undefined) return [];
  const { items } = properties;
  const rows = isObject(items) ? propertiesOf(resolve(items.items)) : undefined;
  return Object.keys(rows ?? properties);
}

function propertiesOf(schema: unknown): Fields | undefined {
  if (!isObject(schema)) return undefined;
  if (isObject(schema.properties)) return schema.properties;
  const parts = schema.allOf ?? schema.anyOf;
  if (!Array.isArray(parts)) return undefined;
  const found = parts.map(propertiesOf).filter((part) => part !== undefined);
  return found.length === 0 ? undefined : Object.assign({}, ...found);
}
