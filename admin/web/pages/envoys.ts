import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Answer } from '../../api/answer.ts';
import type { ReadApi } from '../../api/route.ts';
import { nothing, object } from '../../api/schemas.ts';
import type { envoyPageShape } from '../../api/shapes/envoys.ts';
import { emptyState } from '../components/empty-state.ts';
import { icon } from '../components/icon.ts';
import { live } from '../components/live.ts';
import { count, plural } from '../components/numbers.ts';
import { pagination } from '../components/pagination.ts';
import { partOf, Refused, refusedNote } from '../components/refused.ts';
import { stateBadge, stateShape, toneOf } from '../components/state-badge.ts';
import { type Column, table } from '../components/table.ts';
import { timeAgo, timeAt } from '../components/time.ts';
import { csvRow } from '../csv.ts';
import { type Html, html, ownMarkup } from '../html.ts';
import { page } from '../page.ts';
import { part, pathTo } from '../path.ts';
import { savedViews, type Views } from './envoy-views.ts';

type EnvoyPage = Static<typeof envoyPageShape>;
type Envoy = EnvoyPage['items'][number];

const rowsAPage = 100;
const rowsOfAnExport = 500;
/** Rows of a file; more is for the API, which streams. */
const exportLimit = 100_000;
const selectorLengthMax = 500;
const states = ['converged', 'relapsed', 'diverged', 'degraded', 'failed', 'offline', 'no data'];
const sortable = [
  'hostname',
  'state',
  'since',
  'seen',
  'os',
  'policy',
  'agent',
  'certificate',
] as const;
const events = ['envoy.state', 'envoys.many', 'enrollment.accepted', 'envoy.revoked'];
/** Neither a glob nor a filter nor an id: people who type a part of a name look for it anywhere. */
const partOfName = /^[A-Za-z0-9][\w.-]*$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

const listQuery = object({
  q: Type.Optional(Type.String({ maxLength: selectorLengthMax })),
  state: Type.Optional(Type.String({ maxLength: 20 })),
  sort: Type.Optional(Type.Enum([...sortable])),
  order: Type.Optional(Type.Enum(['asc', 'desc'])),
  cursor: Type.Optional(Type.String({ maxLength: 1000 })),
});
type ListQuery = Static<typeof listQuery>;

function selectorOf(typed: string | undefined): string | undefined {
  const text = typed?.trim();
  if (text === undefined || text === '') return undefined;
  return partOfName.test(text) && !uuid.test(text) ? `*${text}*` : text;
}

function readEnvoys(read: ReadApi, query: ListQuery, limit: number): Promise<EnvoyPage> {
  const { q, ...rest } = query;
  const state = rest.state === '' ? undefined : rest.state;
  return read<EnvoyPage>('/api/v1/envoys', { ...rest, state, selector: selectorOf(q), limit });
}

const envoyList = page({
  path: '/envoys',
  summary: 'Every envoy: find, filter, sort',
  access: 'envoys.read',
  parameters: nothing,
  query: listQuery,
  shared: true,
  render: async ({ read, query, nowMs }) => {
    const found = await partOf(readEnvoys(read, query, rowsAPage));
    if (found instanceof Refused) {
      const body = html`${filters(query)}${refusedNote(found)}`;
      return { title: 'Envoys', status: found.problem.status, body };
    }
    const { cursor: _, ...first } = query;
    const path = pathTo('/envoys', query);
    return {
      title: 'Envoys',
      listen: { types: events },
      actions: html`<a class="button small" href="${pathTo('/envoys.csv', first)}" download>${icon('download')} CSV</a>
        <a class="button small primary" href="/enrollment">Enroll</a>`,
      body: html`${filters(query)}${live({
        id: 'envoys',
        path,
        body: list(found, query, nowMs),
      })}`,
    };
  },
  personal: async ({ read, query }, view) => {
    const views = await read<Views>('/api/v1/views');
    return { ...view, body: html`${savedViews(views, query)}${view.body}` };
  },
});

function filters({ q, state, sort, order }: ListQuery): Html {
  const hidden = { state, sort, order };
  return html`<form class="filters" action="/envoys">
    ${Object.entries(hidden).map(
      ([name, value]) => value && html`<input type="hidden" name="${name}" value="${value}">`,
    )}
    <div class="field grow"><label for="q">Name, glob, id or trait</label>
      <input id="q" name="q" type="search" value="${q ?? ''}" placeholder="web-*, os.family=debian" autocomplete="off" spellcheck="false"></div>
    <button class="button">Filter</button>
    ${(q ?? state) !== undefined && html`<a class="button" href="/envoys">Clear</a>`}
  </form>`;
}

function list(found: EnvoyPage, query: ListQuery, nowMs: number): Html {
  const { cursor, ...first } = query;
  const { items, next, total } = found;
  if (items.length === 0) return html`${stateChips(found, query)}${nobody(query)}`;
  return html`${stateChips(found, query)}
    ${table<Envoy>({
      caption: 'Envoys',
      main: true,
      rows: items,
      rowId: ({ id }) => `envoy-${id}`,
      columns: columns(query, nowMs),
    })}
    ${pagination({
      shown: `${count(items.length)} of ${plural(total, 'envoy')}`,
      firstPath: cursor === undefined ? undefined : pathTo('/envoys', first),
      nextPath: next === undefined ? undefined : pathTo('/envoys', { ...first, cursor: next }),
    })}`;
}

function nobody({ q, state }: ListQuery): Html {
  const filtered = (q ?? state) !== undefined;
  return filtered
    ? emptyState({
        icon: 'search',
        title: 'No envoy fits',
        text: 'A filter is a part of a host name, a glob (web-*), a UUID, or a trait (os.family=debian).',
        action: html`<a class="button" href="/envoys">Show all</a>`,
      })
    : emptyState({
        icon: 'server',
        title: 'No machine is enrolled yet',
        text: 'Make an enrollment token, and run the line that it prints on a machine.',
        action: html`<a class="button primary" href="/enrollment">Enroll a machine</a>`,
      });
}

/** How many there are in each state, of those that the filter leaves; each is a filter itself. */
function stateChips({ counts }: EnvoyPage, query: ListQuery): Html {
  const { cursor: _, state: current, ...rest } = query;
  const all = states.reduce((sum, state) => sum + (counts[state as keyof typeof counts] ?? 0), 0);
  const chip = (state: string | undefined, label: string, number: number) => {
    const isCurrent = state === current;
    return html`<li><a class="chip state-${toneOf(label)}" href="${pathTo('/envoys', { ...rest, state })}"${isCurrent && ownMarkup(' aria-current="true"')}>${state !== undefined && stateShape(state)}${label} <span class="chip-count">${count(number)}</span></a></li>`;
  };
  const shown = [...states, 'revoked'].filter(
    (state) => state === current || (counts[state as keyof typeof counts] ?? 0) > 0,
  );
  return html`<ul class="chips" aria-label="States">${chip(undefined, 'all', all)}${shown.map(
    (state) => chip(state, state, counts[state as keyof typeof counts] ?? 0),
  )}</ul>`;
}

/** Nobody looks at it in years, so it has a column only when it was asked for. */
function certificateColumn(query: ListQuery): Column<Envoy>[] {
  if (query.sort !== 'certificate') return [];
  const cell = ({ certificateEndsMs, revoked }: Envoy) =>
    revoked ? '–' : certificateEndsMs === undefined ? 'not known' : timeAt(certificateEndsMs);
  return [{ label: 'Certificate ends', ...sorting(query, 'certificate'), cell }];
}

function columns(query: ListQuery, nowMs: number): Column<Envoy>[] {
  const by = (sort: (typeof sortable)[number]) => sorting(query, sort);
  return [
    {
      label: 'Envoy',
      ...by('hostname'),
      cell: ({ id, hostname, maintenance }) =>
        html`<a class="cell-main" href="/envoys/${part(id)}">${hostname || id}</a>${
          maintenance && html` <span class="tag" title="${maintenance.reason}">maintenance</span>`
        }`,
    },
    { label: 'State', ...by('state'), cell: ({ state }) => stateBadge(state) },
    { label: 'Since', ...by('since'), cell: ({ stateSinceMs }) => timeAgo(stateSinceMs, nowMs) },
    { label: 'Seen', ...by('seen'), cell: ({ lastSeenMs }) => timeAgo(lastSeenMs, nowMs) },
    { label: 'System', ...by('os'), cell: ({ os }) => os },
    {
      label: 'Policy',
      ...by('policy'),
      number: true,
      cell: ({ policyVersion }) => (policyVersion === undefined ? '–' : `v${policyVersion}`),
    },
    {
      label: 'Agent',
      ...by('agent'),
      number: true,
      cell: ({ agentVersion, update }) =>
        html`${agentVersion}${update && update.phase !== 'accepted' && html` <span class="tag">${update.phase}</span>`}`,
    },
    ...certificateColumn(query),
  ];
}

/** A click sorts by the column, a second one the other way round. */
function sorting(query: ListQuery, sort: (typeof sortable)[number]) {
  const { cursor: _, sort: current = 'hostname', order = 'asc', ...rest } = query;
  const isCurrent = sort === current;
  const next = isCurrent && order === 'asc' ? 'desc' : 'asc';
  const sorted: Column<Envoy>['sorted'] = order === 'asc' ? 'ascending' : 'descending';
  return {
    sortPath: pathTo('/envoys', { ...rest, sort, order: next }),
    ...(isCurrent ? { sorted } : {}),
  };
}

const envoyFile = page({
  path: '/envoys.csv',
  summary: 'The list of envoys as a file for spreadsheets',
  access: 'envoys.read',
  parameters: nothing,
  query: listQuery,
  render: async ({ read, query }) => {
    const heading = ['id', 'hostname', 'state', 'last seen', 'os', 'policy', 'agent', 'enrolled'];
    const rows = [csvRow(heading)];
    let cursor: string | undefined;
    do {
      const found = await readEnvoys(read, { ...query, cursor }, rowsOfAnExport);
      rows.push(...found.items.map(fileRow));
      cursor = found.next;
      // Others are served between two pages.
      await new Promise((resolve) => setImmediate(resolve));
    } while (cursor !== undefined && rows.length <= exportLimit);
    return new Answer(
      200,
      {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="envoys.csv"',
      },
      rows.join(''),
    );
  },
});

function fileRow(envoy: Envoy): string {
  const time = (ms: number | undefined) => (ms === undefined ? '' : new Date(ms).toISOString());
  const { id, hostname, state, lastSeenMs, os, policyVersion, agentVersion, enrolledAtMs } = envoy;
  return csvRow([
    ...[id, hostname, state, time(lastSeenMs), os, policyVersion, agentVersion],
    time(enrolledAtMs),
  ]);
}

export const envoyListPages = [envoyList, envoyFile];
