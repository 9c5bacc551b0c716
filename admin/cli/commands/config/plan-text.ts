import { styleText } from 'node:util';
import type {
  ParameterChange,
  PlannedChange,
  PlannedGroup,
  PlannedResource,
} from '../../../../actors/plan/messages.ts';
import type {
  PlanView,
  RehearsalSummary,
  RehearsedResource,
  RehearsedVariant,
} from '../../../../actors/plan/view.ts';
import { printable } from '../../terminal-text.ts';
import { plural } from '../../words.ts';

type Colour = 'green' | 'yellow' | 'red' | 'magenta' | 'gray' | 'cyan';

const changeMarks: Readonly<Record<PlannedChange, readonly [Colour, string]>> = {
  create: ['green', '+'],
  update: ['yellow', '~'],
  delete: ['red', '-'],
  trigger: ['cyan', '↻'],
  unmanage: ['magenta', 'x'],
  skip: ['gray', '·'],
  none: ['gray', '·'],
  unknown: ['magenta', '?'],
};

const actionMarks: Readonly<Record<string, readonly [Colour, string]>> = {
  created: ['green', '+'],
  updated: ['yellow', '~'],
  deleted: ['red', '-'],
  blocked: ['magenta', '!'],
  failed: ['red', '✗'],
};

/** Lines of one value that are shown. */
const valueLines = 40;

/** The whole plan for a person. */
export function describePlan(plan: PlanView): string {
  const parts = plan.groups.map(describeGroup);
  if (plan.live !== undefined) parts.push(describeLive(plan.live));
  return [...parts, planLine(plan)].join('\n\n');
}

/** "Plan: 12 to create, 3 to update, 1 to delete on 40 envoys in 3 groups." */
export function planLine(plan: PlanView): string {
  const { live, envoys, groups } = plan;
  if (envoys === 0) return 'Plan: nothing would change.';
  const heard = live !== undefined && live.answered > 0;
  const counts = heard ? liveCounts(live) : expectedCounts(plan);
  const what = counts.length === 0 ? 'no change of any resource' : counts.join(', ');
  const where = `on ${plural(envoys, 'envoy')} in ${plural(groups.length, 'group')}`;
  const basis = heard ? '' : ' As far as the server knows: --live asks the envoys.';
  return `Plan: ${what} ${where}.${basis}`;
}

function expectedCounts({ summary }: PlanView): string[] {
  const words: readonly (readonly [PlannedChange, string])[] = [
    ['create', 'to create'],
    ['update', 'to update'],
    ['delete', 'to delete'],
    ['trigger', 'to trigger'],
    ['unmanage', 'no longer managed'],
    ['unknown', 'only the node knows'],
  ];
  return words
    .filter(([change]) => (summary[change] ?? 0) > 0)
    .map(([change, text]) => `${summary[change]} ${text}`);
}

function liveCounts({ summary }: RehearsalSummary): string[] {
  const words = [
    ['created', 'to create'],
    ['updated', 'to update'],
    ['deleted', 'to delete'],
    ['failed', 'would fail'],
    ['blocked', 'would be blocked'],
  ] as const;
  return words
    .filter(([action]) => (summary[action] ?? 0) > 0)
    .map(([action, text]) => `${summary[action]} ${text}`);
}

function describeGroup(group: PlannedGroup): string {
  const { hostnames, envoys, evaluated, resources, unchanged, omitted } = group;
  const more = envoys - hostnames.length;
  const names = [...hostnames.map(printable), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  const known =
    evaluated === 0
      ? 'no traits known'
      : `with the traits of ${evaluated === envoys ? 'all' : `${evaluated} of ${envoys}`}`;
  const lines = [`${names} (${plural(envoys, 'envoy')}, ${known})`];
  for (const resource of resources) lines.push(...describeResource(resource, evaluated));
  if (omitted > 0) lines.push(`  … and ${plural(omitted, 'more row')}`);
  lines.push(styleText('gray', `  ${plural(unchanged, 'resource')} as before`));
  return lines.join('\n');
}

function describeResource(resource: PlannedResource, evaluated: number): string[] {
  const [colour, mark] = changeMarks[resource.change];
  const some = evaluated > 1 && resource.envoys < evaluated;
  const share = some ? ` (on ${resource.envoys} of ${evaluated})` : '';
  const needs = resource.change === 'unknown' ? '; needs --live' : '';
  const head =
    `  ${styleText(colour, mark)} ${printable(resource.id)}  ` +
    `${styleText('gray', printable(resource.type))}  ` +
    `${resource.change}: ${printable(resource.reason)}${needs}${share}`;
  return [head, ...resource.parameters.flatMap(describeParameter)];
}

function describeParameter({ name, before, after }: ParameterChange): string[] {
  const [old, wanted] = [linesOf(before), linesOf(after)];
  const label = `      ${printable(name)}:`;
  if (old.length <= 1 && wanted.length <= 1) {
    if (old.length === 0) return [`${label} ${styleText('green', wanted[0] ?? '""')}`];
    const from = styleText('red', old[0]!);
    return [`${label} ${from} -> ${styleText('green', wanted[0] ?? '(not declared)')}`];
  }
  return [label, ...differences(old, wanted).map((line) => `        ${colourLine(line)}`)];
}

function linesOf(value: unknown): string[] {
  if (value === undefined) return [];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\n$/, '').split('\n').map(printable);
}

/** What is the same at both ends is left out. */
function differences(old: readonly string[], wanted: readonly string[]): string[] {
  let head = 0;
  while (head < old.length && head < wanted.length && old[head] === wanted[head]) head += 1;
  let tail = 0;
  const room = Math.min(old.length, wanted.length) - head;
  while (tail < room && old.at(-1 - tail) === wanted.at(-1 - tail)) tail += 1;
  const all = [
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...wanted.slice(head, wanted.length - tail).map((line) => `+${line}`),
  ];
  if (all.length <= valueLines) return all;
  return [...all.slice(0, valueLines), `… and ${all.length - valueLines} more lines`];
}

function colourLine(line: string): string {
  if (line.startsWith('+')) return styleText('green', line);
  if (line.startsWith('-')) return styleText('red', line);
  return styleText('gray', line);
}

function describeLive(live: RehearsalSummary): string {
  const { asked, answered, silent, troubles, resources } = live;
  const lines = [`Rehearsed on ${answered} of ${plural(asked, 'envoy')}`];
  for (const resource of resources) lines.push(...describeRehearsed(resource));
  if (resources.length === 0 && answered > 0) lines.push('  nothing would change there');
  for (const { hostname, trouble } of troubles)
    lines.push(`  ${styleText('red', '✗')} ${printable(hostname)}: ${printable(trouble)}`);
  if (answered < asked) {
    const more = asked - answered - silent.length;
    const names = [...silent.map(printable), ...(more > 0 ? [`${more} more`] : [])];
    lines.push(`  ${styleText('magenta', 'no answer')}: ${names.join(', ')}`);
  }
  return lines.join('\n');
}

function describeRehearsed(resource: RehearsedResource): string[] {
  // What a condition or a missing trigger skips is no change.
  const shown = resource.variants.filter(({ action }) => action !== 'skipped');
  const acting = shown.find(({ action }) => action !== 'none') ?? shown[0];
  if (acting === undefined) return [];
  const [colour, mark] = actionMarks[acting.action] ?? ['magenta', '?'];
  const head =
    `  ${styleText(colour, mark)} ${printable(resource.id)}  ` +
    `${styleText('gray', printable(resource.type))}  ${spread(resource)}`;
  const several = shown.length > 1;
  const lines = [head, ...shown.flatMap((variant) => describeVariant(variant, several))];
  if (resource.moreVariants > 0)
    lines.push(`      … and ${plural(resource.moreVariants, 'other answer')}`);
  return lines;
}

/** "updated on 37 of 40; 3 already right". */
function spread({ actions, envoys }: RehearsedResource): string {
  const acting = Object.entries(actions)
    .filter(([action]) => action !== 'none')
    .map(([action, count]) => `${printable(action)} on ${count} of ${envoys}`);
  const right = actions.none ?? 0;
  return [...acting, ...(right > 0 ? [`${right} already right`] : [])].join('; ');
}

function describeVariant(variant: RehearsedVariant, several: boolean): string[] {
  const { reason, diff, errorCode, assumed, envoys, hostname } = variant;
  const who = several ? ` (${plural(envoys, 'envoy')}, such as ${printable(hostname)})` : '';
  const code = errorCode === '' ? '' : `${styleText('red', printable(errorCode))} `;
  const rests = assumed ? styleText('magenta', ' [assumed]') : '';
  const body = diff.split('\n').filter((line) => line !== '');
  return [
    `      ${code}${printable(reason)}${rests}${who}`,
    ...body.map((line) => `        ${colourLine(printable(line))}`),
  ];
}
