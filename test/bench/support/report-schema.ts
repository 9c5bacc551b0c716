import { Type } from 'typebox';

const figure = Type.Number({ minimum: 0 });
const whole = Type.Integer({ minimum: 0 });
const latency = Type.Object({ p50: figure, p99: figure, max: figure });
const byCode = Type.Record(Type.String(), Type.Integer({ minimum: 1 }));

/** What programs may rely on in the output of `vigobench fleet --json`. */
export const reportSchema = Type.Object({
  options: Type.Object({
    envoys: whole,
    interval_ms: whole,
    duration_ms: whole,
    changed: figure,
    workers: whole,
  }),
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
});
