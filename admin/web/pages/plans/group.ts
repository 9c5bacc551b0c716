import type {
  ParameterChange,
  PlannedChange,
  PlannedGroup,
  PlannedResource,
} from '../../../../actors/plan/messages.ts';
import { diffView } from '../../components/diff-view.ts';
import { plural } from '../../components/numbers.ts';
import { badge, type StateTone } from '../../components/state-badge.ts';
import { type Html, html } from '../../html.ts';
import { part } from '../../path.ts';

/** With more resources than this, each opens on its own. */
const openMost = 12;
const hostsShown = 10;

const looks = {
  create: ['good', 'disc'],
  update: ['notice', 'half'],
  delete: ['warning', 'diamond'],
  trigger: ['notice', 'arrow'],
  unmanage: ['away', 'cross'],
  skip: ['unknown', 'arrow'],
  none: ['unknown', 'dash'],
  unknown: ['away', 'ring'],
} as const satisfies Record<PlannedChange, readonly [StateTone, string]>;

/** Envoys that go from one bundle to the same other one, and what changes on them. */
export function groupPanel(group: PlannedGroup, at: number): Html {
  const { hostnames, envoys, evaluated, resources, unchanged, omitted } = group;
  const shown = hostnames.slice(0, hostsShown);
  const more = envoys - shown.length;
  const known =
    evaluated === 0
      ? 'no traits known'
      : `with the traits of ${evaluated === envoys ? 'all' : `${evaluated} of ${envoys}`}`;
  return html`<section class="panel" aria-labelledby="group-${at}">
    <div class="panel-head"><h2 id="group-${at}">Group ${at + 1}: ${plural(envoys, 'envoy')}</h2>
      <span class="muted small">${known}</span></div>
    <p class="muted small">${shown.map(
      (name, index) => html`${index > 0 && ', '}<a href="/envoys/${part(name)}">${name}</a>`,
    )}${more > 0 && ` and ${more} more`}</p>
    ${resources.map((resource) => resourceView(resource, evaluated, resources.length <= openMost))}
    ${omitted > 0 && html`<p class="muted">and ${plural(omitted, 'more row')}</p>`}
    <p class="muted small">${plural(unchanged, 'resource')} as before</p>
  </section>`;
}

function resourceView(resource: PlannedResource, evaluated: number, open: boolean): Html {
  const { id, type, change, reason, envoys, parameters } = resource;
  const [tone, shape] = looks[change];
  const share =
    evaluated > 1 &&
    envoys < evaluated &&
    html` <span class="muted">on ${envoys} of ${evaluated}</span>`;
  const head = html`${badge(change, tone, shape)} <span class="mono">${id}</span> <span class="tag">${type}</span>
    <span class="muted">${reason}</span>${share}`;
  if (parameters.length === 0) return html`<p class="change">${head}</p>`;
  return html`<details class="change"${open && html` open`}><summary>${head}</summary>
    ${diffView(parameters.map(parameterDiff).join('\n'), `Parameters of ${id}`)}</details>`;
}

/** A parameter as lines of a diff: what it was, what it becomes. */
function parameterDiff({ name, before, after }: ParameterChange): string {
  const lines = (mark: string, value: unknown) =>
    value === undefined ? [] : linesOf(value).map((line) => `${mark} ${line}`);
  const old = lines('-', before);
  const wanted = lines('+', after);
  if (old.length <= 1 && wanted.length <= 1) {
    const short = (line: string | undefined) => line && `${line[0]} ${name}: ${line.slice(2)}`;
    return [short(old[0]), short(wanted[0])].filter(Boolean).join('\n');
  }
  return [`  ${name}:`, ...old, ...wanted].join('\n');
}

function linesOf(value: unknown): string[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\n$/, '').split('\n');
}
