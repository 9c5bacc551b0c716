import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Page, RunDetailView as RunDetail, RunView } from '../../api/backend.ts';
import { idParameter, nothing, object } from '../../api/schemas.ts';
import type {
  envoyDetailShape,
  historyShape,
  resourcesShape,
  traitsShape,
} from '../../api/shapes/envoys.ts';
import { emptyState } from '../components/empty-state.ts';
import { facts } from '../components/facts.ts';
import { live } from '../components/live.ts';
import { plural } from '../components/numbers.ts';
import { pagination } from '../components/pagination.ts';
import { panel } from '../components/panel.ts';
import { runTable } from '../components/run-table.ts';
import { stateBadge } from '../components/state-badge.ts';
import { tabs } from '../components/tabs.ts';
import { duration, timeAgo, timeAt } from '../components/time.ts';
import { type Html, html } from '../html.ts';
import { type PageView, page } from '../page.ts';
import { part, pathTo } from '../path.ts';
import { envoyActions } from './envoy-actions.ts';
import { resourceTable } from './resources.ts';
import { runDetails } from './run-details.ts';
import { traitList } from './traits.ts';

type Envoy = Static<typeof envoyDetailShape>;
type Transition = Static<typeof historyShape>['items'][number];

const runsAPage = 50;
const transitionsAPage = 100;
const events = [
  'envoy.state',
  'run.finished',
  'envoy.revoked',
  'enrollment.renewed',
  'update.started',
  'update.tried',
  'update.accepted',
  'update.failed',
  'update.returned',
];
const crumbs = [{ label: 'Envoys', path: '/envoys' }];

type View = 'overview' | 'resources' | 'runs' | 'traits' | 'history';

/** What every view of an envoy has around it. */
function envoyView(envoy: Envoy, view: View, nowMs: number, body: Html, actions?: Html): PageView {
  const base = `/envoys/${part(envoy.id)}`;
  const path = view === 'overview' ? base : `${base}/${view}`;
  const tab = (label: string, name: View) => ({
    label,
    path: name === 'overview' ? base : `${base}/${name}`,
    current: name === view,
  });
  return {
    title: envoy.hostname || envoy.id,
    crumbs,
    listen: { envoy: envoy.id, every: 'one by one' },
    actions: html`${actions}${stateBadge(envoy.state)} <span class="muted small">seen ${timeAgo(envoy.lastSeenMs, nowMs)}</span>`,
    body: html`${tabs('Views of this envoy', [
      tab('Overview', 'overview'),
      tab('Resources', 'resources'),
      tab('Runs', 'runs'),
      tab('Traits', 'traits'),
      tab('History', 'history'),
    ])}${live({ id: 'envoy', path, on: events, body })}`,
  };
}

const overview = page({
  path: '/envoys/{id}',
  summary: 'One envoy: its state, why, and what it did',
  access: 'envoys.read',
  parameters: idParameter,
  query: nothing,
  render: async ({ read, parameters, nowMs, asker }) => {
    const envoy = await read<Envoy>(`/api/v1/envoys/${part(parameters.id)}`);
    const telling = envoy.runs.find(({ state }) => state !== 'converged');
    const last = telling && (await read<RunDetail>(`/api/v1/runs/${part(telling.id)}`));
    const { buttons, dialogs } = envoyActions(envoy, asker);
    const view = envoyView(envoy, 'overview', nowMs, summary(envoy, last, nowMs), buttons);
    return { ...view, body: html`${view.body}${liveLog()}${dialogs}` };
  },
});

function summary(envoy: Envoy, last: RunDetail | undefined, nowMs: number): Html {
  return html`${notices(envoy, nowMs)}
    <div class="columns-wide-first"><div>
      ${
        last &&
        panel({
          title: 'Last run that did something',
          aside: html`<a href="/runs/${part(last.id)}">${timeAgo(last.receivedAtMs, nowMs)}</a>`,
          body: runDetails(last, { brief: true }),
        })
      }
      ${panel({
        title: 'Runs',
        aside: html`<a href="/envoys/${part(envoy.id)}/runs">All runs</a>`,
        body:
          envoy.runs.length > 0
            ? runTable(envoy.runs, { nowMs, withEnvoy: false })
            : html`<p class="muted">It has not reported a run. Quiet ones are not stored.</p>`,
      })}</div><div>
      ${panel({ title: 'Facts', body: envoyFacts(envoy, nowMs) })}
      ${panel({
        title: 'States',
        aside: html`<a href="/envoys/${part(envoy.id)}/history">History</a>`,
        body: transitionList(envoy.history, nowMs),
      })}
    </div></div>`;
}

function notices(envoy: Envoy, nowMs: number): Html {
  const { maintenance, revoked, revokedReason, revokedAtMs } = envoy;
  return html`${
    revoked &&
    html`<div class="callout state-bad"><p><strong>Revoked</strong> ${timeAgo(revokedAtMs, nowMs)}: ${revokedReason}. It is refused for ever.</p></div>`
  }${
    maintenance &&
    html`<div class="callout state-notice"><p><strong>In maintenance</strong> ${timeAgo(maintenance.sinceMs, nowMs)}, by ${maintenance.by}: ${maintenance.reason}. It converges as ever and raises no alarm.</p></div>`
  }`;
}

function envoyFacts(envoy: Envoy, nowMs: number): Html {
  const { update } = envoy;
  return facts([
    [
      'State',
      html`${stateBadge(envoy.state)} ${envoy.stateSinceMs !== undefined && timeAgo(envoy.stateSinceMs, nowMs)}`,
    ],
    [
      'Last seen',
      html`${timeAgo(envoy.lastSeenMs, nowMs)} <span class="muted small">to the minute</span>`,
    ],
    ['System', envoy.os],
    ['Policy', envoy.policyVersion === undefined ? 'none yet' : `v${envoy.policyVersion}`],
    ['Agent', envoy.agentVersion],
    [
      'Update',
      update &&
        `${update.version}: ${[update.phase, update.code, update.message].filter(Boolean).join(' ')}`,
    ],
    ['Enrolled', timeAt(envoy.enrolledAtMs)],
    ['Traits', timeAgo(envoy.traitsReceivedMs, nowMs)],
    ['UUID', html`<code>${envoy.id}</code>`],
    ['Certificate', html`<code>${envoy.certificateSerial}</code>`],
    ['It ends', certificateEnd(envoy, nowMs)],
  ]);
}

/** An old one whose end nobody kept is told of as soon as it is renewed. */
function certificateEnd({ certificateEndsMs, revoked }: Envoy, nowMs: number): Html | string {
  if (certificateEndsMs === undefined) return 'not known; it is from before this was kept';
  if (revoked || certificateEndsMs > nowMs) return timeAt(certificateEndsMs);
  return html`${timeAt(certificateEndsMs)} <strong>it has ended</strong>`;
}

function transitionList(history: readonly Transition[], nowMs: number): Html {
  if (history.length === 0) return html`<p class="muted">It has been in one state so far.</p>`;
  return html`<ol class="notes">${history.map(
    ({ atMs, to, reason }) =>
      html`<li>${stateBadge(to)}<span>${timeAgo(atMs, nowMs)}</span><p>${reason}</p></li>`,
  )}</ol>`;
}

/** What happens while the page stands; the browser adds the lines (assets/vigo.js). */
function liveLog(): Html {
  return panel({
    title: 'Live',
    aside: html`<span class="muted small">what happens while you look</span>`,
    body: html`<p class="muted" data-live-log-empty>Nothing has happened since the page was opened.</p><ol class="log" data-live-log tabindex="0" aria-label="Live log"></ol>`,
  });
}

const resources = page({
  path: '/envoys/{id}/resources',
  summary: 'The resources of one envoy',
  access: 'envoys.read',
  parameters: idParameter,
  query: nothing,
  render: async ({ read, parameters, nowMs }) => {
    const base = `/api/v1/envoys/${part(parameters.id)}`;
    const [envoy, found] = await Promise.all([
      read<Envoy>(base),
      read<Static<typeof resourcesShape>>(`${base}/resources`),
    ]);
    return envoyView(envoy, 'resources', nowMs, resourceTable(found, nowMs));
  },
});

const runs = page({
  path: '/envoys/{id}/runs',
  summary: 'The runs of one envoy',
  access: 'envoys.read',
  parameters: idParameter,
  query: object({ cursor: Type.Optional(Type.String({ maxLength: 500 })) }),
  render: async ({ read, parameters, query, nowMs }) => {
    const envoy = await read<Envoy>(`/api/v1/envoys/${part(parameters.id)}`);
    const filter = { envoy: envoy.id, limit: runsAPage, cursor: query.cursor };
    const found = await read<Page<RunView>>('/api/v1/runs', filter);
    const path = `/envoys/${part(envoy.id)}/runs`;
    const body =
      found.items.length === 0
        ? emptyState({
            icon: 'activity',
            title: 'No run is stored',
            text: 'Runs that found everything as declared are not stored.',
          })
        : html`${runTable(found.items, { nowMs, withEnvoy: false, main: true })}${pagination({
            shown: plural(found.items.length, 'run'),
            firstPath: query.cursor === undefined ? undefined : path,
            nextPath: found.next && pathTo(path, { cursor: found.next }),
          })}`;
    return envoyView(envoy, 'runs', nowMs, body);
  },
});

const traits = page({
  path: '/envoys/{id}/traits',
  summary: 'What one envoy found out about its machine',
  access: 'envoys.read',
  parameters: idParameter,
  query: object({ find: Type.Optional(Type.String({ maxLength: 200 })) }),
  render: async ({ read, parameters, query, nowMs }) => {
    const base = `/api/v1/envoys/${part(parameters.id)}`;
    const envoy = await read<Envoy>(base);
    if (envoy.traitsReceivedMs === undefined) {
      const body = emptyState({
        icon: 'tag',
        title: 'No traits yet',
        text: 'The agent tells them with one of its first check-ins.',
      });
      return envoyView(envoy, 'traits', nowMs, body);
    }
    const document = await read<Static<typeof traitsShape>>(`${base}/traits`);
    return envoyView(envoy, 'traits', nowMs, traitList(document, query.find, nowMs));
  },
});

const history = page({
  path: '/envoys/{id}/history',
  summary: 'How the state of one envoy changed',
  access: 'envoys.read',
  parameters: idParameter,
  query: object({ cursor: Type.Optional(Type.String({ maxLength: 500 })) }),
  render: async ({ read, parameters, query, nowMs }) => {
    const base = `/api/v1/envoys/${part(parameters.id)}`;
    const filter = { limit: transitionsAPage, cursor: query.cursor };
    const [envoy, found] = await Promise.all([
      read<Envoy>(base),
      read<Static<typeof historyShape>>(`${base}/history`, filter),
    ]);
    return envoyView(envoy, 'history', nowMs, historyBody(envoy, found, query.cursor, nowMs));
  },
});

function historyBody(
  envoy: Envoy,
  { items, next }: Static<typeof historyShape>,
  cursor: string | undefined,
  nowMs: number,
): Html {
  const path = `/envoys/${part(envoy.id)}/history`;
  if (items.length === 0) {
    return emptyState({
      icon: 'clock',
      title: 'No change of state yet',
      text: 'Every change is kept with its reason.',
    });
  }
  return html`<ol class="timeline">${items.map(
    ({ atMs, from, to, reason, afterMs }) =>
      html`<li>${stateBadge(to)} <span>${reason}</span> <span class="muted small">after ${
        afterMs === undefined ? 'its beginning' : duration(afterMs)
      } ${from}</span> <span class="muted small">${timeAt(atMs)} · ${timeAgo(atMs, nowMs)}</span></li>`,
  )}</ol>${pagination({
    shown: plural(items.length, 'change'),
    firstPath: cursor === undefined ? undefined : path,
    nextPath: next && pathTo(path, { cursor: next }),
  })}`;
}

export const envoyPages = [overview, resources, runs, traits, history];
