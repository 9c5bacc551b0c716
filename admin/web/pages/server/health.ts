import type { ServerStatus, ShardStatus, ThreadStatus } from '../../../../actors/server/status.ts';
import type { StatusView } from '../../../api/backend.ts';
import { nothing } from '../../../api/schemas.ts';
import { fillBar } from '../../charts/parts.ts';
import { facts } from '../../components/facts.ts';
import { icon } from '../../components/icon.ts';
import { live } from '../../components/live.ts';
import { count, figure, percent, plural } from '../../components/numbers.ts';
import { panel } from '../../components/panel.ts';
import { statTile } from '../../components/stat-tile.ts';
import { badge } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { duration, timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { bytes } from './bytes.ts';
import { type Sample, samplesOf } from './metrics-text.ts';

const lagMsFair = 5_000;
const lagMsBad = 60_000;
/** A certificate that ends within this time is shown as one to care about. */
const certificateMsFair = 30 * 86_400_000;
const events = ['server.figures', 'server.alarm', 'server.thread_replaced'];
const families = [
  'process_open_fds',
  'process_max_fds',
  'vigo_home_free_bytes',
  'vigo_outbox_limit_entries',
  'vigo_certificate_expiry_timestamp_seconds',
];

/** How the server itself is: what is full, what waits, what ends. */
export const healthPage = page({
  path: '/server',
  summary: 'Server',
  access: 'status.read',
  parameters: nothing,
  query: nothing,
  shared: true,
  render: async ({ read }) => {
    const [status, metrics] = await Promise.all([
      read<StatusView>('/api/v1/status'),
      read<string>('/metrics'),
    ]);
    return {
      title: 'Server',
      listen: { types: events, every: 5 },
      actions: html`<a class="button" href="/server/doctor">${icon('heart')} Examine</a>`,
      body: live({
        id: 'health',
        path: '/server',
        body: healthOf(status, samplesOf(metrics, families)),
      }),
    };
  },
});

function healthOf(status: StatusView, metrics: Map<string, Sample[]>): Html {
  return html`${tiles(status)}
    <div class="columns">
      <div>${panel({ title: 'Room', body: room(status, metrics) })}
        ${panel({ title: 'Certificates', body: certificates(metrics, status.nowMs) })}</div>
      ${panel({ title: 'Process', body: processFacts(status) })}
    </div>
    <h2 class="table-title">Fleet shards</h2>${shardTable(status, metrics)}
    <h2 class="table-title">Threads</h2>${threadTable(status)}
    ${panel({
      title: 'Refusals since the start',
      aside: html`<span class="muted small">of agents, by code</span>`,
      body: refusals(status.totals.refusals),
    })}`;
}

function tiles({ shards, totals, sink, nowMs, startedAtMs }: StatusView): Html {
  const lagMs = sink?.lagMs ?? 0;
  const upMs = Math.max(1, nowMs - startedAtMs);
  return html`<div class="tiles">
    ${statTile({ label: 'Connections', figure: count(totals.connections), note: `on ${plural(shards.length, 'shard')}` })}
    ${statTile({ label: 'Check-ins', figure: count(totals.checkIns), note: `${figure((1000 * totals.checkIns) / upMs)} a second since the start` })}
    ${statTile({ label: 'Reports', figure: count(totals.reports), note: 'acknowledged durably' })}
    ${statTile({
      label: 'Sink lag',
      figure: duration(lagMs),
      note:
        lagMs > lagMsBad
          ? badge('behind', 'bad', 'square')
          : lagMs > lagMsFair
            ? badge('a little behind', 'warning', 'diamond')
            : `${plural(sink?.waitingEvents ?? 0, 'event')} waiting`,
    })}
    ${statTile({ label: 'Up', figure: duration(upMs), note: html`since ${timeAt(startedAtMs)}` })}
  </div>`;
}

const firstOf = (metrics: Map<string, Sample[]>, name: string) => metrics.get(name)?.[0]?.value;

function room(status: StatusView, metrics: Map<string, Sample[]>): Html {
  const open = firstOf(metrics, 'process_open_fds');
  const most = firstOf(metrics, 'process_max_fds');
  const free = firstOf(metrics, 'vigo_home_free_bytes');
  const threads = threadsOf(status);
  return facts([
    ...threads.map(
      ([name, { store }]) =>
        [
          `Store of ${name}`,
          fillBar(
            `Store of ${name}`,
            store.usedBytes / store.limitBytes,
            `${bytes(store.usedBytes)} of ${bytes(store.limitBytes)}`,
          ),
        ] as const,
    ),
    [
      'Open files',
      open !== undefined &&
        most !== undefined &&
        fillBar('Open files', open / most, `${count(open)} of ${count(most)}`),
    ],
    ['Database', bytes(status.databaseBytes)],
    ['Disk free', free !== undefined && bytes(free)],
  ]);
}

function certificates(metrics: Map<string, Sample[]>, nowMs: number): Html {
  const found = metrics.get('vigo_certificate_expiry_timestamp_seconds') ?? [];
  return facts(
    found.map(({ labels, value }) => {
      const leftMs = value * 1000 - nowMs;
      const isNear = leftMs < certificateMsFair;
      return [
        labels.certificate ?? '',
        html`${timeAt(value * 1000)} ${
          isNear
            ? badge('ends soon', 'warning', 'diamond')
            : html`<span class="muted">in ${duration(leftMs)}</span>`
        }`,
      ] as const;
    }),
  );
}

function processFacts({
  version,
  pid,
  process,
  grpcPort,
  apiPort,
  policyVersion,
  totals,
  nowMs,
  startedAtMs,
}: StatusView): Html {
  const cores = process.cpuUs / 1000 / Math.max(1, nowMs - startedAtMs);
  return facts([
    ['Version', version],
    ['Process', String(pid)],
    ['Memory', bytes(process.rssKb * 1024)],
    ['Processor', `${figure(cores * 100)} % of a core since the start`],
    ['Agents on', String(grpcPort)],
    ['REST and pages on', String(apiPort)],
    [
      'Live policy',
      policyVersion === 0
        ? 'none'
        : html`<a href="/policy/${policyVersion}">version ${policyVersion}</a>`,
    ],
    [
      'SQL on the check-in path',
      totals.sqlStatementsOnPath === 0
        ? 'none'
        : badge(String(totals.sqlStatementsOnPath), 'bad', 'square'),
    ],
  ]);
}

function shardTable({ shards }: StatusView, metrics: Map<string, Sample[]>): Html {
  const outboxMost = firstOf(metrics, 'vigo_outbox_limit_entries');
  const number = (label: string, value: (shard: ShardStatus) => number) => ({
    label,
    number: true,
    cell: (shard: ShardStatus) => count(value(shard)),
  });
  return table<ShardStatus>({
    caption: 'Fleet shards',
    rows: shards,
    rowId: ({ thread }) => `shard-${thread}`,
    columns: [
      { label: 'Shard', cell: ({ thread }) => html`<span class="cell-main">${thread}</span>` },
      number('Connections', ({ connections }) => connections),
      number('Check-ins', ({ checkIns }) => checkIns),
      number('Reports', ({ reports }) => reports),
      number('Mailbox refusals', ({ mailboxRefusals }) => mailboxRefusals),
      {
        label: 'Outbox',
        number: true,
        cell: ({ outboxEntries }) =>
          outboxMost === undefined
            ? count(outboxEntries)
            : fillBar(
                'Outbox',
                outboxEntries / outboxMost,
                `${count(outboxEntries)} of ${count(outboxMost)}`,
              ),
      },
    ],
  });
}

function threadsOf({
  shards,
  service,
}: ServerStatus): readonly (readonly [string, ThreadStatus])[] {
  const threads = shards.map((shard) => [shard.thread, shard] as const);
  return service === undefined ? threads : [...threads, ['service', service] as const];
}

function threadTable(status: StatusView): Html {
  return table<readonly [string, ThreadStatus]>({
    caption: 'Threads',
    rows: threadsOf(status),
    rowId: ([name]) => `thread-${name}`,
    columns: [
      { label: 'Thread', cell: ([name]) => html`<span class="cell-main">${name}</span>` },
      {
        label: 'Busy',
        cell: ([, { figures }]) =>
          fillBar('Busy', figures.utilization, `${percent(100 * figures.utilization)} %`),
      },
      {
        label: 'Heap',
        cell: ([, { figures }]) =>
          fillBar(
            'Heap',
            figures.heapUsedBytes / figures.heapLimitBytes,
            `${bytes(figures.heapUsedBytes)} of ${bytes(figures.heapLimitBytes)}`,
          ),
      },
      {
        label: 'Late by, p50',
        number: true,
        cell: ([, { figures }]) => duration(figures.eventLoopDelay.p50),
      },
      {
        label: 'p99',
        number: true,
        cell: ([, { figures }]) => duration(figures.eventLoopDelay.p99),
      },
      {
        label: 'most',
        number: true,
        cell: ([, { figures }]) => duration(figures.eventLoopDelay.max),
      },
      {
        label: 'Collections',
        number: true,
        cell: ([, { figures }]) => {
          const all = Object.values(figures.garbageCollections);
          return `${count(all.reduce((sum, { count: each }) => sum + each, 0))} in ${duration(1000 * all.reduce((sum, { seconds }) => sum + seconds, 0))}`;
        },
      },
    ],
  });
}

function refusals(codes: Readonly<Record<string, number>>): Html {
  const rows = Object.entries(codes).sort(([, one], [, other]) => other - one);
  if (rows.length === 0) return html`<p class="muted">Nothing was refused.</p>`;
  return facts(rows.map(([code, times]) => [code, count(times)] as const));
}
