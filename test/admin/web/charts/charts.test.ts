import t from 'tap';
import type { Tone } from '../../../../admin/web/charts/frame.ts';
import {
  columnChart,
  lineChart,
  sparkline,
  stackedAreaChart,
} from '../../../../admin/web/charts/over-time.ts';
import { barTable, fillBar, ringGauge, segmentedBar } from '../../../../admin/web/charts/parts.ts';
import { rolloutHealthBar, stageSteps } from '../../../../admin/web/charts/stages.ts';

const hostile = '<img src=x onerror=alert(1)>"\u001b[31m';
const startMs = Date.UTC(2026, 10, 22);
const text = { id: 'states', title: `States ${hostile}`, description: `Now ${hostile}` };
const series = [
  { label: 'converged', tone: 'good' as Tone },
  { label: hostile, tone: 'bad' as Tone },
];
const samples = Array.from({ length: 24 }, (_, at) => ({
  atMs: startMs + at * 3_600_000,
  values: [90 + at, 10 - at / 4],
}));
const overTime = { ...text, series, samples };
const parts = [
  { label: 'converged', tone: 'good' as Tone, value: 98, href: '/envoys?state=converged' },
  { label: hostile, tone: 'bad' as Tone, value: 2 },
];
const health = { healthy: 3, unjudged: 0, failing: 1, silent: 0, pending: 2, offline: 1 };

const every: Readonly<Record<string, string>> = {
  area: stackedAreaChart({ ...overTime, zoom: 'stacked' }).text,
  columns: columnChart(overTime).text,
  lines: lineChart({ ...overTime, unit: 'ms' }).text,
  empty: lineChart({ ...overTime, samples: [] }).text,
  spark: sparkline(hostile, samples).text,
  segments: segmentedBar({ ...text, parts }).text,
  bars: barTable({ caption: hostile, labelHeading: 'Version', valueHeading: 'Envoys', rows: parts })
    .text,
  ring: ringGauge({ ...text, share: 0.98, tone: 'good' }).text,
  fill: fillBar(hostile, 0.95, '95 %').text,
  stages: stageSteps('s', [{ label: hostile, state: 'current', note: hostile }]).text,
  health: rolloutHealthBar('health', health).text,
};

t.test(
  'names of hosts and versions are text in every chart, also in the data for zooming',
  async (t) => {
    for (const [name, markup] of Object.entries(every)) {
      t.notMatch(markup, /<img/, name);
      t.notOk(markup.includes('\u001b'), `${name}: no escape for a terminal`);
      t.notMatch(
        markup,
        / style=| on\w+="/,
        `${name} has nothing that the policy of the pages forbids`,
      );
    }
  },
);

t.test('elements are closed in order, so that nothing after a chart is swallowed', async (t) => {
  for (const [name, markup] of Object.entries(every)) {
    const open: string[] = [];
    for (const [, end, tag = '', self] of markup.matchAll(
      /<(\/?)([a-z]\w*)(?:"[^"]*"|[^">])*?(\/?)>/g,
    )) {
      if (end) t.equal(open.pop(), tag, `${name}: </${tag}>`);
      else if (!self) open.push(tag);
    }
    t.same(open, [], name);
  }
});

t.test('who cannot see a chart gets its title, what it says, and its figures', async (t) => {
  for (const name of ['area', 'columns', 'lines']) {
    const markup = every[name] ?? '';
    t.match(markup, /role="img" aria-labelledby="states-title states-description"/, name);
    t.match(markup, /<title id="states-title">/, name);
    t.match(markup, /<desc id="states-description">/, name);
    t.match(markup, /<th scope="row">2026-11-22 23:00 UTC<\/th>/, `${name}: the newest row`);
  }
  t.match(every.lines, /<td class="number">113 ms<\/td>/);
  t.match(every.segments, /<a href="\/envoys\?state=converged">converged <b>98<\/b>/);
  t.match(every.health, /Of the envoys reached: 3 healthy, 2 to report, 1 failing, 1 offline\./);
  t.match(every.stages, /aria-current="step"/);
  t.match(every.empty, /Nothing to draw yet/);
});

t.test('a table of many samples is thinned, and keeps the newest', async (t) => {
  const many = Array.from({ length: 2000 }, (_, at) => ({
    atMs: startMs + at * 60_000,
    values: [at],
  }));
  const markup = lineChart({ ...overTime, series: series.slice(0, 1), samples: many }).text;
  t.ok((markup.match(/<tr>/g)?.length ?? 0) <= 50);
  t.match(markup, /<td class="number">1,999<\/td>/);
  t.notMatch(markup, /chart-hint/, 'hints of so many would make the page heavy');
  t.ok(markup.length < 60_000, `${markup.length} characters`);
});

t.test('the data for zooming is what was drawn', async (t) => {
  const [, raw = ''] = /data-zoom="([^"]*)"/.exec(every.area ?? '') ?? [];
  const entities = { quot: '"', lt: '<', gt: '>', amp: '&', '#39': "'" } as const;
  const json = raw.replaceAll(/&(quot|lt|gt|amp|#39);/g, (_, name) => entities[name as 'lt']);
  const data = JSON.parse(json) as { times: number[]; columns: number[][]; labels: string[] };
  t.equal(data.times.length, 24);
  t.equal(data.columns[0]?.at(-1), 113);
  t.equal(data.labels[0], 'converged');
});

t.test('a ring of nothing, of all and of a little says which it is', async (t) => {
  const words = (share: number | undefined) =>
    />([^<]*)<\/text>/.exec(ringGauge({ ...text, share, tone: 'good' }).text)?.[1];
  t.same([undefined, 0, 0.004, 1].map(words), ['-', '0%', '&lt;1%', '100%']);
});
