import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { OtlpJsonReceiverDouble, type ReceivedSpan } from '../support/otlp-json-receiver-double.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { cli } from './support/vigocli.ts';
import { send } from './support/web-client.ts';

t.setTimeout(240_000);

const receiver = new OtlpJsonReceiverDouble();
const endpoint = await receiver.listen();
t.teardown(() => receiver.close());
const server = await TestServer.make(t, {
  shards: 1,
  set: [`tracing.endpoint=${endpoint}`, 'tracing.check_ins_one_in=1', 'tracing.timeout=5s'],
});
const stack = new URL('../../admin/demo/stack', import.meta.url).pathname;
cpSync(stack, join(server.directory, 'stacks'), { recursive: true });
const [envoy] = await server.provision(1);
if (envoy === undefined) throw new Error('there is no envoy');
t.teardown(() => envoy.close());
const { grpcPort } = await server.start();
envoy.moveTo(grpcPort);

function newTraceparent(flags = '01'): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags}`;
}

/** The spans of one trace, when those with these names have come. */
async function traceOf(traceId: string, ...names: string[]): Promise<ReceivedSpan[]> {
  const own = () => receiver.spans.filter((span) => span.traceId === traceId);
  await receiver.until(() => names.every((name) => own().some((span) => span.name === name)));
  return own();
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name}`);
  return found;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > untilMs) throw new Error(`a minute passed\n${server.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The value of the first series that begins so. */
async function metric(series: string): Promise<number> {
  const token = readFileSync(server.home.layout.adminToken, 'utf8').trim();
  const text = await new Promise<string>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.run?.apiPort,
      path: '/metrics',
      ca: server.home.certificateAuthority.certificatePem,
      agent: false as const,
      headers: { authorization: `Bearer ${token}` },
    };
    const answered = async (answer: AsyncIterable<Buffer>) => {
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part);
      resolve(Buffer.concat(parts).toString());
    };
    request(options, answered).on('error', reject).end();
  });
  const line = text.split('\n').find((each) => each.startsWith(series));
  return Number(line?.slice(line.lastIndexOf(' ')));
}

t.test(
  'a publish is one trace: from vigocli over the request to the actors, and the audit log',
  async (t) => {
    const environment = { VIGO_HOME: server.directory };
    const { code, complaint } = await cli(['config', 'publish', '-m', 'traced'], environment);
    t.equal(code, 0, complaint);
    const isPublish = ({ name }: ReceivedSpan) => name === 'POST /api/v1/config/publish';
    await receiver.until((spans) => spans.some(isPublish));
    const { traceId = '' } = receiver.spans.find(isPublish) ?? {};
    const trace = await traceOf(traceId, 'publish/publish');
    const root = trace.find(isPublish);
    const publish = named(trace, 'publish/publish');
    t.ok(root?.parentSpanId, "vigocli's own span");
    t.equal(publish.parentSpanId, root?.spanId);
    t.ok(publish.startMs >= (root?.startMs ?? 0), 'a step begins after its request');
    t.match(root, {
      kind: 2,
      status: 0,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/v1/config/publish',
        'http.response.status_code': 200,
        'url.scheme': 'https',
      },
      resource: { 'service.name': 'vigosrv' },
    });
    t.match(publish, { kind: 1, attributes: { 'vigo.policy.version': 1 } });
    const entries = await rest<{ items: { traceparent?: string }[] }>(
      server,
      'GET',
      '/api/v1/audit?newest=true&limit=10&type=policy.published',
    );
    t.ok(entries.body.items[0]?.traceparent?.includes(traceId), 'the audit log names the trace');
  },
);

t.test(
  'a login is traced, and a refused one says why; no name and no password goes out',
  async (t) => {
    const traceparent = newTraceparent();
    const { status } = await send(server, 'POST', '/api/v1/session', {
      body: { name: 'mallory-somebody', password: 'correct horse battery' },
      headers: { traceparent },
    });
    t.equal(status, 401);
    const trace = await traceOf(traceparent.slice(3, 35), 'POST /api/v1/session', 'login/login');
    t.equal(named(trace, 'POST /api/v1/session').parentSpanId, traceparent.slice(36, 52));
    t.equal(named(trace, 'POST /api/v1/session').status, 0, 'the server is not at fault');
    t.match(named(trace, 'POST /api/v1/session').attributes, {
      'vigo.error.code': /^ACCOUNT_|^API_/,
    });
    const steps = await traceOf(traceparent.slice(3, 35), 'accounts/beginLogin');
    const login = named(trace, 'login/login');
    t.equal(named(steps, 'accounts/beginLogin').parentSpanId, login.spanId);
    t.notMatch(JSON.stringify(receiver.spans), /mallory|battery/);
  },
);

t.test('a check-in and the report of its pass are in the trace of the agent', async (t) => {
  const traceparent = newTraceparent();
  const body = CheckInRequest.encode({ ...CheckInRequest.decode(new Uint8Array()), state: 1 });
  const signed = envoy.request('CheckIn', body.finish(), { traceparent });
  t.equal((await envoy.send('CheckIn', signed)).status, 0);
  const name = 'vigo.v1.VigoAgent/CheckIn';
  const checkIn = named(await traceOf(traceparent.slice(3, 35), name), name);
  t.match(checkIn, {
    kind: 2,
    status: 0,
    parentSpanId: traceparent.slice(36, 52),
    attributes: {
      'rpc.system': 'grpc',
      'rpc.system.name': 'grpc',
      'rpc.method': name,
      'rpc.status_code': 'OK',
      'vigo.envoy.id': envoy.envoyId,
    },
  });
  const again = await envoy.send('CheckIn', signed);
  t.not(again.status, 0, 'a replay');
  await receiver.until((spans) =>
    spans.some(({ attributes }) => attributes['vigo.error.code'] === 'REQUEST_REPLAYED'),
  );
});

t.test('who says that nothing is recorded is believed', async (t) => {
  const quiet = newTraceparent('00');
  const loud = newTraceparent();
  const path = '/api/v1/login/methods';
  for (const traceparent of [quiet, loud]) {
    await send(server, 'GET', path, { headers: { traceparent } });
  }
  await traceOf(loud.slice(3, 35), `GET ${path}`);
  const told = receiver.spans.map(({ traceId }) => traceId);
  t.notOk(told.includes(quiet.slice(3, 35)));
});

t.test('a collector that refuses costs spans, one line in the log, and nothing else', async (t) => {
  const dropped = 'vigo_trace_spans_dropped_total{reason="collector"}';
  t.equal(await metric(dropped), 0);
  t.ok((await metric('vigo_trace_spans_exported_total')) > 0);
  receiver.status = 401;
  await until(async () => {
    const { status } = await rest(server, 'GET', '/api/v1/status');
    t.equal(status, 200);
    return (await metric(dropped)) >= 3;
  });
  receiver.status = 200;
  const traceparent = newTraceparent();
  await send(server, 'GET', '/api/v1/login/methods', { headers: { traceparent } });
  await traceOf(traceparent.slice(3, 35), 'GET /api/v1/login/methods');
  await until(() => server.output.includes('traces are exported again'));
  t.equal(server.output.split('TRACING_EXPORT_FAILED').length - 1, 1, server.output);
});

t.test('all that came was OTLP, and the end of the server brings the last spans', async (t) => {
  const traceparent = newTraceparent();
  await send(server, 'GET', '/api/v1/login/methods', { headers: { traceparent } });
  t.equal(await server.signal('SIGTERM'), 0);
  t.ok(receiver.spans.some(({ traceId }) => traceId === traceparent.slice(3, 35)));
  t.same(receiver.faults, []);
});

t.test('the receiver in docs/tracing.md reads what the server sends', async (t) => {
  const page = readFileSync(new URL('../../docs/tracing.md', import.meta.url), 'utf8');
  const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const work = mkdtempSync(join(tmpdir(), 'vigo-tracing-page-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const file = join(work, 'spans.mjs');
  const told = "console.log('at ' + this.address().port)";
  writeFileSync(
    file,
    program
      .replace('4318, () =>', '0, function () {')
      .replace("console.log('waiting for spans'));", `${told} });`),
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const seen = async (wanted: RegExp) => {
    await until(() => wanted.test(output));
    return wanted.exec(output);
  };
  const [, port] = (await seen(/at (\d+)\n/)) ?? [];
  const [body] = receiver.bodies.filter((text) => text.includes('config/publish'));
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', body });
  t.equal(await answer.text(), '{}');
  t.ok(await seen(/^([0-9a-f]{6} ){3} +[0-9.]+ ms POST \/api\/v1\/config\/publish$/m), output);
});
