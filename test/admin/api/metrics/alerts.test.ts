import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { metricsText } from '../../../../admin/api/metrics/metrics.ts';
import { requires } from '../../../support/requires.ts';
import { sampleSources } from './sample-sources.ts';

const monitoring = new URL('../../../../docs/monitoring/', import.meta.url);
const rulesFile = new URL('alerts.yaml', monitoring).pathname;
const page = readFileSync(new URL('README.md', monitoring), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
  groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap(({ rules }) => rules);

/** Series "name{labels} values", a value a minute, of a server in good order; time starts at 0. */
const healthy: Readonly<Record<string, string>> = {
  'up{job="vigo"}': '1x200',
  vigo_shards: '2x200',
  'vigo_envoys{state="converged"}': '98x200',
  'vigo_envoys{state="failed"}': '2x200',
  'vigo_envoys_alarming{state="failed"}': '2x200',
  'vigo_envoys_alarming{state="offline"}': '1x200',
  'vigo_envoys_alarming{state="diverged"}': '0x200',
  vigo_check_ins_total: '0+400x200',
  vigo_envoys_behind_live_policy: '0x200',
  vigo_policy_published_timestamp_seconds: '0x200',
  'vigo_refusals_total{code="REQUEST_REPLAYED"}': '0+1x200',
  vigo_sink_lag_seconds: '0.1x200',
  vigo_outbox_entries: '10x200',
  vigo_outbox_limit_entries: '1000x200',
  vigo_store_used_bytes: '10x200',
  vigo_store_limit_bytes: '1000x200',
  vigo_home_free_bytes: '50000000000x200',
  'process_open_fds{job="vigo"}': '40x200',
  'process_max_fds{job="vigo"}': '1024x200',
  vigo_thread_utilization_ratio: '0.2x200',
  vigo_thread_heap_used_bytes: '10x200',
  vigo_thread_heap_limit_bytes: '1000x200',
  vigo_certificate_expiry_timestamp_seconds: '100000000x200',
  vigo_api_token_next_expiry_timestamp_seconds: '100000000x200',
  vigo_sql_statements_on_check_in_path_total: '0x200',
  'vigo_api_requests_total{status="200"}': '0+60x200',
  'vigo_api_requests_total{status="500"}': '0x200',
  'vigo_api_refusals_total{code="API_UNAUTHENTICATED"}': '0x200',
  'vigo_trace_spans_dropped_total{reason="collector"}': '3x200',
};

/** Alert -> what must go wrong for it to fire. */
const trouble: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  VigoServerDown: { 'up{job="vigo"}': '1x100 0x100' },
  VigoShardMissing: { vigo_shards: '2x100 1x100' },
  VigoFleetFailing: { 'vigo_envoys_alarming{state="failed"}': '2x100 9x100' },
  VigoFleetOffline: { 'vigo_envoys_alarming{state="offline"}': '1x100 9x100' },
  VigoFleetDiverged: { 'vigo_envoys_alarming{state="diverged"}': '0x100 1x100' },
  VigoCheckInsStopped: { vigo_check_ins_total: '0+400x100 40000x100' },
  VigoEnvoysBehind: { vigo_envoys_behind_live_policy: '0x100 4x100' },
  VigoRolloutPaused: { 'vigo_rollout_status{status="paused"}': '1x200' },
  VigoRolledBack: {
    'vigo_rollout_status{status="rolled-back"}': '1x200',
    vigo_policy_published_timestamp_seconds: '8000x200',
  },
  VigoRefusals: { 'vigo_refusals_total{code="REQUEST_REPLAYED"}': '0+600x200' },
  VigoSinkBehind: { vigo_sink_lag_seconds: '0.1x100 100x100' },
  VigoOutboxFilling: { vigo_outbox_entries: '10x100 600x100' },
  VigoStoreFilling: { vigo_store_used_bytes: '10x100 900x100' },
  VigoDiskFilling: { vigo_home_free_bytes: '1000000x200' },
  VigoFileDescriptors: { 'process_open_fds{job="vigo"}': '1000x200' },
  VigoThreadBusy: { vigo_thread_utilization_ratio: '0.97x200' },
  VigoHeapFilling: { vigo_thread_heap_used_bytes: '900x200' },
  VigoCertificateEnds: { vigo_certificate_expiry_timestamp_seconds: '1000000x200' },
  VigoTokenEnds: { vigo_api_token_next_expiry_timestamp_seconds: '100000x200' },
  VigoSqlOnCheckInPath: { vigo_sql_statements_on_check_in_path_total: '0x100 1x100' },
  VigoApiErrors: { 'vigo_api_requests_total{status="500"}': '0+60x200' },
  VigoApiIntrusion: { 'vigo_api_refusals_total{code="API_UNAUTHENTICATED"}': '0+600x200' },
  VigoTracesDropped: { 'vigo_trace_spans_dropped_total{reason="collector"}': '0+5x200' },
};

function withInstance(series: string): string {
  const at = series.indexOf('{');
  return at === -1 ? `${series}{instance="a"}` : `${series.slice(0, -1)},instance="a"}`;
}

/** What Prometheus itself makes of the series: the alerts that fire at the end. */
function scenario(changed: Readonly<Record<string, string>>, expected: readonly string[]) {
  const series = { ...healthy, ...changed };
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({
      series: withInstance(name),
      values,
    })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '150m',
        exp_samples: expected.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  };
}

const promtool = { skip: requires('command:promtool') };

t.test('each alert fires on its trouble and on no other', promtool, async (t) => {
  t.same(
    Object.keys(trouble),
    rules.map(({ alert }) => alert),
    'each alert has its trouble',
  );
  const directory = mkdtempSync(join(tmpdir(), 'vigo-alerts-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'test.yaml');
  const tests = [
    scenario({}, []),
    ...Object.entries(trouble).map(([alert, changed]) => scenario(changed, [alert])),
  ];
  writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
    encoding: 'utf8',
  });
  t.equal(status, 0, `${stdout}${stderr}`);
});

function dashboardExpressions(): string[] {
  return readdirSync(monitoring)
    .filter((name) => name.startsWith('grafana-'))
    .flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(new URL(name, monitoring), 'utf8')) as {
        panels: { targets: { expr: string }[] }[];
      };
      return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    });
}

t.test('alerts and dashboards ask only for what the server tells', promtool, async (t) => {
  const sources = sampleSources({ monotonicMs: () => 0 });
  sources.meter.begin('GET')('/healthz', 404, 'API_NO_ROUTE');
  const told = new Set(metricsText(sources).match(/^\w+/gm));
  const expressions = dashboardExpressions();
  t.ok(expressions.length > 20);
  for (const expr of [...rules.map((rule) => rule.expr), ...expressions]) {
    for (const [name] of expr.matchAll(/\b(?:vigo|process)_\w+/g)) t.ok(told.has(name), name);
  }
  const directory = mkdtempSync(join(tmpdir(), 'vigo-dashboards-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'rules.yaml');
  const recorded = expressions.map((expr, at) => ({ record: `panel:${at}`, expr }));
  writeFileSync(file, stringify({ groups: [{ name: 'panels', rules: recorded }] }));
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
});

t.test('whoever is woken by an alert finds what to do', async (t) => {
  for (const { alert, annotations } of rules) {
    t.equal(annotations.runbook, `docs/monitoring/README.md#${alert.toLowerCase()}`);
    const section = page.split(`### ${alert}\n`)[1]?.split('\n### ')[0] ?? '';
    t.ok(section.trim().length > 40, `${alert} has a section`);
  }
});
