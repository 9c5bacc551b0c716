import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { commonKeys } from '../../agent/policy/editor-schema/module-schema.ts';
import { resourceSchemas } from '../../agent/policy/resource-schemas/registry.ts';
import type {
  Category,
  ParameterSpec,
  ResourceExample,
  ResourceSchema,
} from '../../agent/policy/resource-schemas/schema.ts';
import { formsOf } from '../../agent/policy/resource-schemas/value-problem.ts';

/** Where the reference of the resource types stands. */
export const referenceDirectory = new URL('../../docs/reference/resources/', import.meta.url);

const generated = '<!-- Made by: node test/tools/resource-reference.ts -->';
const chapters: Readonly<Record<Category, string>> = {
  files: 'Files and their text',
  packages: 'Packages',
  services: 'Services',
  accounts: 'Accounts',
  system: 'The system',
  network: 'Network',
  storage: 'Storage',
  containers: 'Containers',
  commands: 'Commands',
};

/** File name -> text of every reference page. */
export function referencePages(): Map<string, string> {
  const schemas = [...resourceSchemas.values()];
  const pages = schemas.map((schema) => [`${schema.name}.md`, page(schema)] as const);
  return new Map([['README.md', index(schemas)], ...pages]);
}

/** The policy text of an example: a module without its name. */
export function exampleText({ vars, resources }: ResourceExample): string {
  return stringify({ ...(vars === undefined ? {} : { vars }), resources }, { lineWidth: 100 });
}

function index(schemas: readonly ResourceSchema[]): string {
  const sections = Object.entries(chapters).map(([category, title]) => {
    const own = schemas.filter((schema) => schema.category === category);
    const rows = own.map(({ name, summary }) => `| [\`${name}\`](${name}.md) | ${summary} |`);
    return rows.length === 0 ? '' : table(`## ${title}`, ['Type', 'What it does'], rows);
  });
  const common = [...Object.entries(commonKeys()), ['match', match] as const];
  const rows = common.map(
    ([name, schema]) => `| \`${name}\` | ${cell(String(schema.description))} |`,
  );
  return [
    '# Resource types',
    generated,
    `${schemas.length} types. Each page has the parameters, the states, the rules that publish checks, and examples.`,
    ...sections.filter((section) => section !== ''),
    table('## Keys of every resource', ['Key', 'Meaning'], rows),
    'How they work together: [the policy language](../../policy.md).\n',
  ].join('\n\n');
}

const match = { description: 'What each value of `case` changes in the parameters.' };

function page(schema: ResourceSchema): string {
  const { name, summary = '', notes = [], platforms, since } = schema;
  const where = platforms === undefined ? 'all platforms' : platforms.join(', ');
  const parameters = schema.parameters.map(parameterRow);
  return [
    `# ${name}`,
    generated,
    summary,
    ...notes,
    `Works on: ${where}.${since === undefined ? '' : ` Since version ${since}.`}`,
    table('## Parameters', ['Parameter', 'Value', 'Default', 'Meaning'], parameters),
    ...states(schema),
    ...rules(schema),
    `## Guardrails\n\n${guardrails(schema)}`,
    `## Examples`,
    ...(schema.examples ?? []).map(
      (example) => `${example.title}:\n\n\`\`\`yaml\n${exampleText(example)}\`\`\``,
    ),
    '[All types](README.md) · [the policy language](../../policy.md)\n',
  ].join('\n\n');
}

function table(title: string, heads: readonly string[], rows: readonly string[]): string {
  const line = `|${heads.map(() => '---').join('|')}|`;
  return [`${title}\n`, `| ${heads.join(' | ')} |`, line, ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

function parameterRow(spec: ParameterSpec): string {
  const name = spec.required ? `\`${spec.name}\` (required)` : `\`${spec.name}\``;
  const standard = spec.default === undefined ? '' : `\`${cell(String(spec.default))}\``;
  const more = [
    spec.deprecated === undefined ? '' : ` Deprecated: ${spec.deprecated}`,
    spec.platforms === undefined ? '' : ` Only on ${spec.platforms.join(', ')}.`,
    spec.since === undefined ? '' : ` Since version ${spec.since}.`,
    spec.examples === undefined
      ? ''
      : ` For example ${spec.examples.map((value) => `\`${String(value)}\``).join(', ')}.`,
  ];
  const meaning = `${spec.description}${more.join('')}`;
  return `| ${name} | ${cell(allowedValues(spec))} | ${standard} | ${cell(meaning)} |`;
}

function allowedValues(spec: ParameterSpec): string {
  if (spec.kind === 'enum') return (spec.values ?? []).map((value) => `\`${value}\``).join(', ');
  const kinds: Record<Exclude<ParameterSpec['kind'], 'enum'>, string> = {
    string: 'text',
    boolean: 'true or false',
    integer: 'whole number',
    path: 'absolute path',
    mode: 'octal mode',
    list: 'list, or text with commas',
    map: 'map',
  };
  const { minimum, maximum } = spec;
  const least = minimum === undefined ? '' : `from ${minimum}`;
  const range = [least, maximum === undefined ? '' : `to ${maximum}`].filter((part) => part !== '');
  const forms = formsOf(spec).map(({ meaning }) => meaning);
  return [kinds[spec.kind], ...(range.length === 0 ? [] : [range.join(' ')]), ...forms].join('; ');
}

function states(schema: ResourceSchema): string[] {
  const spec = schema.parameters.find(({ name }) => name === 'state');
  if (spec?.kind !== 'enum') return [];
  const rows = (spec.values ?? []).map((value) => {
    const needs = [
      ...(value === 'absent' ? [] : (schema.requiredUnlessAbsent ?? [])),
      ...(schema.requires ?? [])
        .filter(({ when }) => when.parameter === 'state' && when.values.includes(value))
        .flatMap((requirement) => requirement.needs),
    ];
    const name = value === spec.default ? `\`${value}\` (default)` : `\`${value}\``;
    const wanted = [...new Set(needs)].map((need) => `\`${need}\``).join(', ');
    return `| ${name} | ${cell(spec.valueNotes?.[value] ?? '')} | ${wanted} |`;
  });
  return [table('## States', ['State', 'Meaning', 'Needs'], rows)];
}

function rules(schema: ResourceSchema): string[] {
  const quoted = (names: readonly string[], word: string) =>
    names.map((name) => `\`${name}\``).join(` ${word} `);
  const lines = [
    ...(schema.exclusive ?? []).map((group) => `At most one of ${quoted(group, 'and')}.`),
    ...(schema.oneOf ?? []).map((group) => `At least one of ${quoted(group, 'and')}.`),
    ...(schema.requires ?? [])
      .filter(({ when }) => when.parameter !== 'state')
      .map(
        ({ when, needs }) =>
          `\`${when.parameter}\` ${quoted(when.values, 'or')} needs ${quoted(needs, 'and')}.`,
      ),
    ...(schema.guards === undefined
      ? []
      : [`Needs a guard: ${quoted(schema.guards, 'or')}, or \`when\`, or \`subscribes\`.`]),
    ...(schema.oneShotStates === undefined
      ? []
      : [
          `${quoted(schema.oneShotStates, 'and')} act each time, so they need \`when: "changed"\` or \`subscribes\`.`,
        ]),
  ];
  return lines.length === 0
    ? []
    : [`## Rules\n\nPublish checks:\n\n${lines.map((line) => `- ${line}`).join('\n')}`];
}

const probe = '/vigo-reference-probe';

/** What the type would touch, found by asking its own table. */
function guardrails(schema: ResourceSchema): string {
  const byKind = new Map<string, string[]>();
  for (const { name } of schema.parameters) {
    for (const { kind, value } of schema.targets({ [name]: probe })) {
      if (!value.includes(probe)) continue;
      byKind.set(kind, [...new Set([...(byKind.get(kind) ?? []), `\`${name}\``])]);
    }
  }
  const what: Readonly<Record<string, string>> = {
    path: 'a path of Vigo itself',
    service: "one of Vigo's services, to stop or disable it",
    package: "one of Vigo's packages, to remove it",
    command: 'a command that would stop or remove Vigo',
    account: 'root, to remove it or to give it another number',
    traffic: 'a rule that would cut the node from its server (on the node only)',
  };
  const lines = [...byKind].map(
    ([kind, names]) => `- ${names.join(', ')}: not ${what[kind] ?? kind}.`,
  );
  if (lines.length === 0) return 'It touches nothing that Vigo guards.';
  return `Refused at publish, and again on the node with links resolved:\n\n${lines.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(referenceDirectory, { recursive: true });
  for (const [name, text] of referencePages()) {
    writeFileSync(new URL(name, referenceDirectory), text);
  }
}
