import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Page, RunView } from '../../api/backend.ts';
import { nothing as noParameters, object } from '../../api/schemas.ts';
import type { overviewShape } from '../../api/shapes/overview.ts';
import type { Tone } from '../charts/frame.ts';
import { lineChart, stackedAreaChart } from '../charts/over-time.ts';
import { barTable, segmentedBar } from '../charts/parts.ts';
import { emptyState } from '../components/empty-state.ts';
import { facts } from '../components/facts.ts';
import { live } from '../components/live.ts';
import { count, figure, percent, plural } from '../components/numbers.ts';
import { panel } from '../components/panel.ts';
import { runTable } from '../components/run-table.ts';
import { statTile } from '../components/stat-tile.ts';
import { type Html, html, ownMarkup } from '../html.ts';
import { may } from '../may.ts';
import { page, redirect } from '../page.ts';
import { pathTo } from '../path.ts';
import { attentionList } from './attention.ts';

export type Overview = Static<typeof overviewShape>;

const windows = ['24h', '7d'] as const;
const recentRuns = 6;
const stateTones: readonly (readonly [string, Tone])[] = [
  ['converged', 'good'],
  ['relapsed', 'notice'],
  ['diverged', 'warning'],
  ['degraded', 'serious'],
  ['failed', 'bad'],
  ['offline', 'away'],
  ['no data', 'unknown'],
];
/** Whatever may change a figure of the page. */
const events = [
  'envoy.state',
  'run.finished',
  'envoys.many',
  'policy.published',
  'policy.rolled_back',
  'candidate.created',
  'rollout.stage_started',
  'rollout.stopped',
  'rollout.completed',
  'enrollment.accepted',
  'envoy.revoked',
];

export const overviewPage = page({
  path: '/',
  summary: 'The fleet at a glance',
  access: 'envoys.read',
  parameters: noParameters,
  query: object({ window: Type.Optional(Type.Enum([...windows])) }),
  shared: true,
  render: async ({ read, query, nowMs, asker }) => {
    const window = query.window ?? '24h';
    // Who may see only some envoys begins with the list of them.
    if (!may(asker, 'envoys.read')) return redirect('/envoys');
    const [overview, runs] = await Promise.all([
      read<Overview>('/api/v1/fleet/overview', { window }),
      read<Page<RunView>>('/api/v1/runs', { limit: recentRuns }),
    ]);
    const path = pathTo('/', { window: query.window });
    const isEmpty = overview.envoys.active === 0;
    const seesTokens = may(asker, 'access.read');
    const body = isEmpty ? noFleet() : fleet(overview, runs.items, nowMs, seesTokens);
    return {
      title: 'Overview',
      actions: windowSwitch(window),
      listen: { types: events, every: 5 },
      body: live({ id: 'overview', path, body }),
    };
  },
  personal: async ({ read, asker, nowMs }, view) => {
    // Who sees everybody's tokens has seen these.
    if (asker.accountId === undefined || may(asker, 'access.read')) return view;
    const { attention } = await read<Overview>('/api/v1/fleet/overview');
    const own = attention.filter(({ kind }) => kind === 'api-token');
    if (own.length === 0) return view;
    const yours = panel({ title: 'Your tokens', body: attentionList(own, nowMs, false) });
    return { ...view, body: html`${yours}${view.body}` };
  },
});

function fleet(
  overview: Overview,
  runs: readonly RunView[],
  nowMs: number,
  seesTokens: boolean,
): Html {
  return html`${tiles(overview)}
    <div class="columns-wide-first">
      ${convergence(overview)}
      ${panel({
        title: 'Needs a human',
        aside: overview.attention.length > 0 && plural(overview.attention.length, 'matter'),
        body: attentionList(overview.attention, nowMs, seesTokens),
      })}
    </div>
    <div class="charts">${share(overview)}${checkIns(overview)}${latency(overview)}</div>
    <div class="columns">
      ${versions(overview)}
      ${panel({ title: 'Today', aside: html`<span class="muted small">since midnight, UTC</span>`, body: today(overview) })}
    </div>
    ${panel({
      title: 'Latest runs that changed something',
      aside: html`<a href="/runs">All runs</a>`,
      body:
        runs.length > 0
          ? runTable(runs, { nowMs, withEnvoy: true })
          : html`<p class="muted">No envoy has reported a change yet.</p>`,
    })}`;
}

function noFleet(): Html {
  return emptyState({
    icon: 'server',
    title: 'No machine is enrolled yet',
    text: 'Make an enrollment token, and run the line that it prints on a machine.',
    action: html`<a class="button primary" href="/enrollment">Enroll a machine</a>`,
  });
}

function windowSwitch(current: string): Html {
  return html`<ul class="chips" aria-label="Time shown">${windows.map(
    (window) =>
      html`<li><a class="chip" href="${pathTo('/', { window })}"${window === current && ownMarkup(' aria-current="true"')}>${window === '24h' ? '24 hours' : '7 days'}</a></li>`,
  )}</ul>`;
}

/** The newest value that was recorded. */
function newest(column: readonly (number | null)[]): number | undefined {
  return column.findLast((value) => value !== null) ?? undefined;
}

function tiles({ envoys, series, versions, today }: Overview): Html {
  const rate = newest(series.checkInsPerSecond);
  const p99 = newest(series.latencyP99Ms);
  const behind = versions.policy
    .filter(({ version }) => version !== versions.livePolicy)
    .reduce((sum, { envoys: number }) => sum + number, 0);
  return html`<div class="tiles">
    ${statTile({
      label: 'Converged',
      figure: percent(envoys.convergedPercent),
      unit: '%',
      note: `${count(envoys.counts.converged)} of ${count(envoys.active)} active`,
      path: pathTo('/envoys', { state: 'converged' }),
    })}
    ${statTile({
      label: 'Active envoys',
      figure: count(envoys.active),
      note:
        envoys.inMaintenance > 0 ? `${count(envoys.inMaintenance)} in maintenance` : 'not revoked',
      path: '/envoys',
    })}
    ${statTile({
      label: 'Check-ins',
      figure: rate === undefined ? '–' : figure(rate),
      unit: '/s',
      note: p99 === undefined ? 'nothing recorded yet' : `p99 ${figure(p99)} ms`,
    })}
    ${statTile({
      label: 'Policy',
      figure: versions.livePolicy === 0 ? '–' : `v${versions.livePolicy}`,
      note: behind === 0 ? 'every envoy has it' : `${plural(behind, 'envoy')} not there yet`,
      path: '/policy',
    })}
    ${statTile({
      label: 'Changed today',
      figure: count(today.resourcesChanged),
      note: `in ${plural(today.runsWithChanges, 'run')}`,
      path: pathTo('/runs', { state: 'changed' }),
    })}
    ${statTile({
      label: 'Failed runs today',
      figure: count(today.runsFailed),
      note: `of ${plural(today.runs, 'stored run')}`,
      path: pathTo('/runs', { state: 'failed' }),
    })}
  </div>`;
}

function convergence({ envoys, series }: Overview): Html {
  const parts = stateTones.map(([label, tone]) => ({
    label,
    tone,
    value: envoys.counts[label as keyof typeof envoys.counts] ?? 0,
    href: pathTo('/envoys', { state: label }),
  }));
  const said = parts.filter(({ value }) => value > 0);
  const words = said.map(({ label, value }) => `${count(value)} ${label}`).join(', ');
  // Beside tens of thousands that are well nobody could see the few that are not.
  const shown = stateTones.filter(([state]) => state !== 'converged' && wasSeen(series, state));
  return html`<section class="panel">
    <div class="panel-head"><h2>Convergence</h2></div>
    ${segmentedBar({ id: 'states-now', title: 'Envoys by state, now', description: words, parts: said })}
    ${
      shown.length === 0
        ? html`<p class="muted">Every envoy was converged, as far as is known of this time.</p>`
        : stackedAreaChart({
            id: 'states-over-time',
            title: 'Envoys that are not converged, over time',
            description: `Now ${words}.`,
            zoom: 'stacked',
            series: shown.map(([label, tone]) => ({ label, tone })),
            samples: samplesOf(
              series.atMs,
              shown.map(([state]) => series.states[state as keyof typeof series.states] ?? []),
            ),
          })
    }
  </section>`;
}

function wasSeen({ states }: Overview['series'], state: string): boolean {
  return states[state as keyof typeof states]?.some((value) => (value ?? 0) > 0) ?? false;
}

function share({ series, envoys }: Overview): Html {
  const columns = Object.values(series.states);
  const percents = series.atMs.map((_, at) => {
    const whole = columns.reduce((sum, column) => sum + (column[at] ?? 0), 0);
    const converged = series.states.converged?.[at];
    return whole === 0 || typeof converged !== 'number' ? null : (100 * converged) / whole;
  });
  return panel({
    title: 'Converged',
    body: lineChart({
      id: 'converged-share',
      title: 'Share of the active envoys',
      description: `Now ${percent(envoys.convergedPercent)} %.`,
      unit: '%',
      zoom: 'lines',
      series: [{ label: 'converged', tone: 'good' }],
      samples: samplesOf(series.atMs, [percents]),
    }),
  });
}

function checkIns({ series }: Overview): Html {
  const rate = newest(series.checkInsPerSecond);
  return panel({
    title: 'Check-ins',
    body: lineChart({
      id: 'check-ins',
      title: 'Check-ins and reports a second',
      description: rate === undefined ? 'Nothing was recorded.' : `Now ${figure(rate)} a second.`,
      unit: '/s',
      zoom: 'lines',
      series: [
        { label: 'check-ins', tone: 'one' },
        { label: 'reports', tone: 'two' },
      ],
      samples: samplesOf(series.atMs, [series.checkInsPerSecond, series.reportsPerSecond]),
    }),
  });
}

function latency({ series }: Overview): Html {
  const p99 = newest(series.latencyP99Ms);
  return panel({
    title: 'Latency of a check-in',
    body: lineChart({
      id: 'latency',
      title: 'How long the server takes',
      description: p99 === undefined ? 'Nothing was recorded.' : `p99 is ${figure(p99)} ms now.`,
      unit: 'ms',
      zoom: 'lines',
      series: [
        { label: 'p50', tone: 'one' },
        { label: 'p99', tone: 'four' },
      ],
      samples: samplesOf(series.atMs, [series.latencyP50Ms, series.latencyP99Ms]),
    }),
  });
}

/** From the first time of which anything is known: a young server has no day behind it. */
function samplesOf(times: readonly number[], columns: readonly (readonly (number | null)[])[]) {
  const samples = times.map((atMs, at) => ({
    atMs,
    values: columns.map((column) => column[at] ?? undefined),
  }));
  const first = samples.findIndex(({ values }) => values.some((value) => value !== undefined));
  return first < 0 ? [] : samples.slice(first);
}

function versions({ versions }: Overview): Html {
  const { agent, policy, livePolicy } = versions;
  return panel({
    title: 'Versions',
    body: html`${barTable({
      caption: 'Policy',
      labelHeading: 'Version',
      valueHeading: 'Envoys',
      rows: policy.map(({ version, envoys }) => ({
        label: version === 0 ? 'none yet' : `v${version}${version === livePolicy ? ' (live)' : ''}`,
        value: envoys,
        tone: version === livePolicy ? 'good' : 'one',
      })),
    })}
    ${barTable({
      caption: 'Agent',
      labelHeading: 'Version',
      valueHeading: 'Envoys',
      rows: agent.map(({ version, envoys }) => ({
        label: version,
        value: envoys,
        tone: 'two',
      })),
    })}`,
  });
}

function today({ today }: Overview): Html {
  return facts([
    ['Runs stored', html`<a href="/runs">${count(today.runs)}</a>`],
    ['Runs with changes', count(today.runsWithChanges)],
    ['Runs that failed', count(today.runsFailed)],
    ['Resources changed', count(today.resourcesChanged)],
    ['Changes of state', count(today.transitions)],
    ['Policy versions', html`<a href="/policy">${count(today.published)}</a>`],
    ['Machines enrolled', count(today.enrolled)],
    ['Machines revoked', count(today.revoked)],
  ]);
}
