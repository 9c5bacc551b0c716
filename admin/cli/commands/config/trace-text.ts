import { styleText } from 'node:util';
import type {
  EntryTrace,
  HostTrace,
  ModuleReason,
  ModuleTrace,
  ModuleUsage,
  ResourceTrace,
  SourcePlace,
  VariableExplanation,
  VariableSource,
  Verdict,
} from '../../../../actors/explain/messages.ts';
import { printable, shorten } from '../../terminal-text.ts';
import { plural } from '../../words.ts';

/** Characters shown of a value. */
const valueWidth = 60;

export interface TraceParts {
  readonly vars: boolean;
  readonly resources: boolean;
}

export function placeWords({ file, line }: SourcePlace): string {
  return styleText('gray', `${printable(file)}:${line}`);
}

export function describeTrace(trace: HostTrace, parts: TraceParts): string {
  const { hostname, source, errors, matched, shadowed, entry, traitsKnown } = trace;
  const lines = [styleText('bold', `${printable(hostname)} in ${printable(source)}`)];
  if (errors > 0) lines.push(warning(`the stack has ${plural(errors, 'error')}; parts may miss`));
  if (!matched || !entry) {
    return [...lines, 'No entry matches this host name: it gets nothing.'].join('\n');
  }
  lines.push(`entry ${printable(matched.pattern)}  ${placeWords(matched.place)}`);
  if (entry.environment) lines.push(`environment ${printable(entry.environment)}`);
  for (const { layer, place } of entry.layers.filter((each) => each.layer !== 'entry')) {
    lines.push(`inherits ${layer}  ${placeWords(place)}`);
  }
  for (const { pattern, place } of shadowed) {
    lines.push(
      styleText(
        'gray',
        `later, not used: ${printable(pattern)}  ${printable(place.file)}:${place.line}`,
      ),
    );
  }
  if (!traitsKnown) {
    lines.push(
      warning('its traits are not known here: conditions on them are decided on the node'),
    );
  }
  return [...lines, '', ...describeEntry(entry, parts)].join('\n');
}

function describeEntry(entry: EntryTrace, parts: TraceParts): string[] {
  const excluded = entry.excluded.map(({ name, reasons, excludedBy }) => {
    const by = excludedBy.map((reason) => placeWords(reason.place)).join(', ');
    const from = reasons.map(reasonWords).join(', ');
    return `${mark({ state: 'out', why: '' })} ${printable(name)}  excluded by ${by}; from ${from}`;
  });
  return [...entry.modules.flatMap((module) => describeModule(module, parts)), ...excluded];
}

function describeModule(module: ModuleTrace, { vars, resources }: TraceParts): string[] {
  const { verdict, name, place, reasons } = module;
  const lines = [
    `${mark(verdict)} ${styleText('bold', printable(name))}  ${placeWords(place)}`,
    ...reasons.map((reason) => `    from ${reasonWords(reason)}`),
  ];
  if (module.when) {
    const { text, place: at } = module.when;
    lines.push(`    when ${printable(text)}  ${placeWords(at)}${whyWords(verdict)}`);
  }
  if (vars) lines.push(...module.vars.flatMap(describeVariable));
  if (resources) lines.push(...module.resources.map(describeResource));
  return lines;
}

function describeVariable(variable: VariableExplanation): string[] {
  const { name, overridden, conditional } = variable;
  return [
    `    ${printable(name)} = ${sourceWords(variable)}`,
    ...overridden.map((weaker) => styleText('gray', `        instead of `) + sourceWords(weaker)),
    ...conditional.map(
      ({ when, value, place }) =>
        `        ${valueWords(value)} when ${printable(when)}  ${placeWords(place)}`,
    ),
  ];
}

function sourceWords({ value, layer, place }: VariableSource): string {
  return `${valueWords(value)}  ${layerWords[layer]}  ${placeWords(place)}`;
}

const layerWords = {
  module: 'module',
  common: 'common.vgo',
  entry: 'entry',
  'module-environment': 'environment override of the module',
  environment: 'environment',
} as const;

function valueWords(value: VariableSource['value']): string {
  return styleText('cyan', shorten(printable(JSON.stringify(value)), valueWidth));
}

function describeResource(resource: ResourceTrace): string {
  const { verdict, name, type, place, foreach, variesOn, variant } = resource;
  const notes: string[] = [];
  if (foreach) notes.push(`foreach ${printable(foreach.variable ?? 'of a written list')}`);
  if (variesOn !== undefined) {
    const chosen = variant === undefined ? 'the node chooses' : printable(variant);
    notes.push(`case ${printable(variesOn)}: ${chosen}`);
  }
  const note = notes.length > 0 ? `  (${notes.join('; ')})` : '';
  const words = `${printable(name)}  ${printable(type)}  ${placeWords(place)}`;
  return `    ${mark(verdict)} ${words}${note}${whyWords(verdict)}`;
}

function reasonWords({ kind, place, role, neededBy, environment }: ModuleReason): string {
  const where = placeWords(place);
  const via = role ? `role ${printable(role.name)} ` : '';
  if (kind === 'dependency') return `module ${printable(neededBy ?? '')}, which needs it  ${where}`;
  if (kind === 'environment') return `environment ${via || printable(environment ?? '')} ${where}`;
  return `${via}${kind === 'common' ? 'common.vgo' : 'entry'}  ${where}`;
}

function whyWords({ why }: Verdict): string {
  return why === '' ? '' : styleText('gray', `  (${printable(why)})`);
}

function mark({ state }: Verdict): string {
  if (state === 'in') return styleText('green', '+');
  return state === 'out' ? styleText('red', '-') : styleText('yellow', '?');
}

function warning(text: string): string {
  return styleText('yellow', text);
}

export function describeUsage(usage: ModuleUsage): string {
  const { module, source, place, dependsOn, neededBy, roles, entries } = usage;
  const head = styleText('bold', `${printable(module)} in ${printable(source)}`);
  const lines = [`${head}  ${placeWords(place)}`];
  if (dependsOn.length > 0) lines.push(`needs ${dependsOn.map(printable).join(', ')}`);
  for (const { module: by, place: at } of neededBy) {
    lines.push(`needed by module ${printable(by)}  ${placeWords(at)}`);
  }
  for (const { name, place: at } of roles) {
    lines.push(`in role ${printable(name)}  ${placeWords(at)}`);
  }
  if (entries.length === 0) lines.push('No entry has it: no envoy gets it.');
  for (const { patterns, environment, place: at, reasons, excludedBy } of entries) {
    const state = excludedBy ? 'out' : 'in';
    const name = patterns.map(printable).join(', ');
    const where = environment ? ` (${printable(environment)})` : '';
    lines.push(`${mark({ state, why: '' })} entry ${name}${where}  ${placeWords(at)}`);
    lines.push(...reasons.map((reason) => `    from ${reasonWords(reason)}`));
    lines.push(...(excludedBy ?? []).map((by) => `    excluded by ${placeWords(by.place)}`));
  }
  return lines.join('\n');
}
