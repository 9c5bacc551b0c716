import * as conventions from '@opentelemetry/semantic-conventions';
import t from 'tap';
import type { SpanRecord } from '../../../../actors/tracing/messages.ts';
import { otlpExport, tracesUrl } from '../../../../admin/api/tracing/otlp-export.ts';
import { OtlpJsonReceiverDouble } from '../../../support/otlp-json-receiver-double.ts';

const receiver = new OtlpJsonReceiverDouble();
const endpoint = await receiver.listen();
t.teardown(() => receiver.close());

const settings = {
  endpoint,
  headers: { authorization: 'Bearer of-the-collector' },
  authority: undefined,
  timeoutMs: 2000,
  resource: { 'service.name': 'vigosrv', 'service.instance.id': 'one' },
  version: '1.2.3',
};

const span: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  name: 'GET /api/v1/envoys/{id}',
  kind: 'server',
  startMs: 1_800_000_000_123,
  durationMs: 4.5,
  attributes: { 'http.response.status_code': 503, 'url.path': '/x', 'vigo.flag': true },
  failure: 'API_INTERNAL',
};

t.test('a collector reads what we mean', async (t) => {
  const { parentSpanId: _, failure: _none, ...root } = span;
  await otlpExport(settings)([span, { ...root, kind: 'internal' }]);
  t.same(receiver.faults, []);
  t.match(receiver.headers[0], { authorization: 'Bearer of-the-collector' });
  const [first, second] = receiver.spans;
  t.match(first, {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: 2,
    status: 2,
    attributes: { ...span.attributes, 'error.type': 'API_INTERNAL' },
    resource: { 'service.name': 'vigosrv', 'telemetry.sdk.name': 'opentelemetry' },
  });
  t.equal(first?.startMs, span.startMs);
  t.ok(Math.abs((first?.endMs ?? 0) - span.startMs - 4.5) < 0.001);
  t.match(second, { kind: 1, status: 0 });
  t.equal(second?.parentSpanId, undefined);
});

t.test('what the collector refuses is an error, not silence', async (t) => {
  receiver.status = 401;
  await t.rejects(otlpExport(settings)([span]), /401|Unauthorized/i);
  receiver.status = 200;
});

t.test('the address of a collector is enough, and a whole one is taken as it is', async (t) => {
  t.equal(tracesUrl('http://c:4318'), 'http://c:4318/v1/traces');
  t.equal(tracesUrl('http://c:4318/'), 'http://c:4318/v1/traces');
  t.equal(tracesUrl('https://c/otlp/v1/traces'), 'https://c/otlp/v1/traces');
});

t.test('attributes have the names that OpenTelemetry gave them', async (t) => {
  const named = new Set<unknown>(Object.values(conventions));
  const ours = [
    'http.request.method',
    'http.response.status_code',
    'http.route',
    'url.path',
    'url.scheme',
    'user_agent.original',
    'error.type',
    'rpc.method',
    'rpc.system.name',
    'rpc.status_code',
    'service.name',
    'service.version',
    'service.instance.id',
  ];
  for (const name of ours) t.ok(named.has(name), name);
});
