import { Type } from 'typebox';

const figure = Type.Number({ minimum: 0 });
const whole = Type.Integer({ minimum: 0 });
const latency = Type.Object({ p50: figure, p99: figure, max: figure });
const byCode = Type.Record(Type.String(), Type.Integer({ minimum: 1 }));

const reached = Type.Object({
  p50_s: Type.Optional(figure),
  p90_s: Type.Optional(figure),
  p99_s: Type.Optional(figure),
  all_s: Type.Optional(figure),
  envoys: whole,
  of: whole,
});

/** What programs may rely on in the output of `vigobench fleet --json` and the other modes'. */
export const reportSchema = Type.Object({
  options: Type.Object({
    envoys: whole,
    interval_ms: whole,
    duration_ms: whole,
    changed: figure,
    workers: whole,
  }),
  measured_at: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' }),
  vigo: Type.Object({ version: Type.String(), commit: Type.Optional(Type.String()) }),
  machine: Type.Object({
    cpu: Type.String(),
    cores: whole,
    memory_gb: figure,
    system: Type.String(),
    node: Type.String(),
  }),
  ramp: Type.Object({ duration_ms: whole, errors: byCode }),
  checkins: Type.Object({ done: whole, missed: whole, per_second: figure }),
  latency_ms: latency,
  reports: Type.Object({ durable: whole, latency_ms: latency }),
  verify_us: figure,
  server: Type.Object({
    cpu_us_per_checkin: figure,
    cpu_to_verify_ratio: figure,
    cpu_cores: figure,
    rss_kb_per_envoy: Type.Number(),
    rss_kb: whole,
    rss_kb_before: whole,
    checkins_served: whole,
    sql_statements_on_path: whole,
    sql_driver_loaded: Type.Boolean(),
  }),
  generator: Type.Object({
    cpu_us_per_checkin: figure,
    cpu_cores: figure,
    event_loop_utilization: Type.Number({ minimum: 0, maximum: 1 }),
    late_starts_ms: latency,
    bottleneck: Type.Boolean(),
  }),
  reconnects: whole,
  errors: byCode,
  other_cores: Type.Optional(figure),
  signed_ahead: Type.Optional(Type.Boolean()),
  samples: Type.Optional(Type.Array(Type.Object({ s: figure, rss_mb: figure }))),
  herd: Type.Optional(
    Type.Object({
      how: Type.Enum(['stop', 'kill']),
      down_s: figure,
      back: reached,
      false_offline: whole,
      silent_envoys: whole,
      longest_silence_s: figure,
      reconnects: whole,
      resumed_sessions: whole,
      refused_handshakes: whole,
      server_cpu_s_until_whole: figure,
    }),
  ),
  publish: Type.Optional(
    Type.Object({ version: whole, request_s: figure, taken: reached, told: reached }),
  ),
  query: Type.Optional(
    Type.Object({
      asked: whole,
      request_s: figure,
      answered: reached,
      in_database_s: figure,
      joined: whole,
      baseline_cores: figure,
      server_cpu_us_per_answer: figure,
    }),
  ),
  burst: Type.Optional(
    Type.Object({ envoys: whole, durable_s: figure, in_database_s: figure, retries: whole }),
  ),
  viewers: Type.Optional(
    Type.Object({
      viewers: whole,
      kind: Type.Enum(['open', 'leafing']),
      streams: whole,
      stream_events: whole,
      requests: whole,
      refreshes: whole,
      unchanged: whole,
      failed: whole,
      pages: Type.Record(Type.String(), Type.Object({ p50: figure, p99: figure })),
      latency_p99_ratio: figure,
      server_cpu_ratio: figure,
      server_cores_added: Type.Number(),
    }),
  ),
});
