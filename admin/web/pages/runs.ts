import { Type } from 'typebox';
import type { Page, RunDetailView, RunView } from '../../api/backend.ts';
import { idParameter, nothing, object } from '../../api/schemas.ts';
import { emptyState } from '../components/empty-state.ts';
import { facts } from '../components/facts.ts';
import { live } from '../components/live.ts';
import { plural } from '../components/numbers.ts';
import { pagination } from '../components/pagination.ts';
import { panel } from '../components/panel.ts';
import { runEffect, runTable, runTags } from '../components/run-table.ts';
import { stateBadge, stateShape, toneOf } from '../components/state-badge.ts';
import { duration, timeAt } from '../components/time.ts';
import { type Html, html, ownMarkup } from '../html.ts';
import { page } from '../page.ts';
import { part, pathTo } from '../path.ts';
import { runDetails } from './run-details.ts';

const runsAPage = 100;
const states = ['failed', 'degraded', 'changed', 'converged'];
const events = ['run.finished', 'envoys.many'];

const runList = page({
  path: '/runs',
  summary: 'Runs that changed, failed or adopted a policy',
  access: 'runs.read',
  parameters: nothing,
  query: object({
    envoy: Type.Optional(Type.String({ maxLength: 255 })),
    state: Type.Optional(Type.Enum(states)),
    cursor: Type.Optional(Type.String({ maxLength: 500 })),
  }),
  shared: true,
  render: async ({ read, query, nowMs }) => {
    const found = await read<Page<RunView>>('/api/v1/runs', { ...query, limit: runsAPage });
    const { cursor, ...first } = query;
    const body =
      found.items.length === 0
        ? emptyState({
            icon: 'activity',
            title: 'No run fits',
            text: 'Runs that found everything as declared are not stored.',
          })
        : html`${runTable(found.items, { nowMs, withEnvoy: true, main: true })}${pagination({
            shown: plural(found.items.length, 'run'),
            firstPath: cursor === undefined ? undefined : pathTo('/runs', first),
            nextPath: found.next && pathTo('/runs', { ...first, cursor: found.next }),
          })}`;
    return {
      title: 'Runs',
      listen: { types: events },
      body: html`${stateChips(query.state)}${live({ id: 'runs', path: pathTo('/runs', query), body })}`,
    };
  },
});

function stateChips(current: string | undefined): Html {
  const chip = (state: string | undefined, label: string) =>
    html`<li><a class="chip state-${toneOf(label)}" href="${pathTo('/runs', { state })}"${state === current && ownMarkup(' aria-current="true"')}>${state !== undefined && stateShape(state)}${label}</a></li>`;
  return html`<ul class="chips" aria-label="Outcomes">${chip(undefined, 'all')}${states.map((state) => chip(state, state))}</ul>`;
}

const run = page({
  path: '/runs/{id}',
  summary: 'One run: what it did to each resource, and why',
  access: 'runs.read',
  parameters: idParameter,
  query: nothing,
  render: async ({ read, parameters }) => {
    const found = await read<RunDetailView>(`/api/v1/runs/${part(parameters.id)}`);
    const { envoyId, hostname } = found;
    return {
      title: `Run ${found.id.slice(0, 8)}`,
      crumbs: [
        { label: 'Envoys', path: '/envoys' },
        { label: hostname || envoyId, path: `/envoys/${part(envoyId)}` },
        { label: 'Runs', path: `/envoys/${part(envoyId)}/runs` },
      ],
      actions: html`${stateBadge(found.state)} ${runTags(found)}`,
      body: html`<div class="columns-wide-first"><div>${panel({
        title: 'Results',
        aside: html`<span class="muted">${runEffect(found)}</span>`,
        body: runDetails(found, { brief: false }),
      })}</div><div>${panel({ title: 'Facts', body: runFacts(found) })}</div></div>`,
    };
  },
});

function runFacts(run: RunDetailView): Html {
  return facts([
    ['Envoy', html`<a href="/envoys/${part(run.envoyId)}">${run.hostname || run.envoyId}</a>`],
    ['Started', html`${timeAt(run.startedAtMs)} <span class="muted small">by its own clock</span>`],
    ['Received', timeAt(run.receivedAtMs)],
    ['Took', duration(run.durationMs)],
    ['Policy', `v${run.policyVersion}${run.policyChanged ? ', first run with it' : ''}`],
    ['Resources', plural(run.total, 'resource')],
    ['As declared', String(run.unchanged)],
    ['Did', runEffect(run)],
    ['Report', String(run.reportSequence)],
    ['Id', html`<code>${run.id}</code>`],
  ]);
}

export const runPages = [runList, run];
