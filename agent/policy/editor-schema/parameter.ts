import type { ParameterSpec } from '../resource-schemas/parameter-spec.ts';
import { formsOf } from '../resource-schemas/value-problem.ts';
import { type JsonSchema, matching, reference } from './json-schema.ts';
import { deferred } from './texts.ts';

/** What the editor checks, completes and shows of one parameter. */
export function parameterSchema(spec: ParameterSpec): JsonSchema {
  const { default: value, examples, deprecated } = spec;
  return {
    description: describe(spec),
    ...valueSchema(spec),
    allOf: [reference('template'), reference('variables')],
    ...(value === undefined ? {} : { default: value }),
    ...(examples === undefined ? {} : { examples }),
    ...(deprecated === undefined ? {} : { deprecationMessage: deprecated }),
  };
}

function describe(spec: ParameterSpec): string {
  const notes = Object.entries(spec.valueNotes ?? {}).map(([value, note]) => `${value}: ${note}`);
  const standard = spec.default === undefined ? [] : [`Default: ${JSON.stringify(spec.default)}.`];
  return [spec.description, ...standard, ...notes].join('\n\n');
}

function valueSchema(spec: ParameterSpec): JsonSchema {
  switch (spec.kind) {
    case 'string':
      return { type: ['string', 'number', 'boolean'], ...textForms(spec) };
    case 'boolean':
      return { type: ['boolean', 'string'], ...text('true|false', 'Must be true or false.') };
    case 'integer': {
      const { minimum, maximum } = spec;
      return {
        type: ['integer', 'string'],
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
        ...text('-?[0-9]{1,15}', 'Must be a whole number.'),
      };
    }
    case 'path':
      return {
        type: 'string',
        ...text('/[^\\u0000-\\u001f\\u007f]*', 'Must be an absolute path.'),
      };
    case 'mode':
      return {
        type: ['string', 'integer'],
        minimum: 0,
        maximum: 7777,
        ...text('(?:0o?)?[0-7]{3,4}', 'Must be an octal mode such as "0644".'),
      };
    case 'enum':
      return { anyOf: [{ enum: enumValues(spec) }, { type: 'string', pattern: deferred }] };
    case 'list':
      return {
        type: ['array', 'string', 'number', 'boolean'],
        items: {
          type: ['string', 'number', 'boolean'],
          allOf: [reference('template'), reference('variables')],
          ...textForms(spec),
        },
        ...listForms(spec),
      };
    case 'map':
      return { type: 'object' };
  }
}

/** YAML reads some words as booleans or numbers; publish takes them as written. */
function enumValues({ values }: ParameterSpec): readonly unknown[] {
  return (values ?? []).flatMap((value): readonly unknown[] => {
    if (value === 'true' || value === 'false') return [value, value === 'true'];
    return /^-?\d+$/.test(value) ? [value, Number(value)] : [value];
  });
}

function text(pattern: string, message: string): JsonSchema {
  return matching(`^$|${deferred}|^(?:${pattern})$`, message);
}

function textForms(spec: ParameterSpec): JsonSchema {
  const forms = formsOf(spec);
  if (forms.length === 0) return {};
  const all = forms.map(({ pattern }) => `(?=${pattern.replace(/^\^/, '')})`).join('');
  const meaning = forms.map((form) => form.meaning).join(' and ');
  return matching(`^$|${deferred}|^${all}`, `Must be ${meaning}.`);
}

/** Text with commas stands for a list. Forms that look at the whole item stay with YAML lists. */
function listForms(spec: ParameterSpec): JsonSchema {
  const [form, second] = formsOf(spec);
  if (form === undefined || second !== undefined) return {};
  if (!/^\^(?!\(\?[=!]).*\$$/.test(form.pattern)) return {};
  const item = `\\s*(?:${form.pattern.slice(1, -1)})\\s*`;
  return matching(`^$|${deferred}|^${item}(?:,${item})*$`, `Each item must be ${form.meaning}.`);
}
