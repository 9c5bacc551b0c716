import t from 'tap';
import { parseConfig } from '../../../actors/server/config/load.ts';

function parse(text: string) {
  return parseConfig(text, { file: 'server.yaml', home: '/home/vigo' }).tracing;
}

t.test('without a section nothing is traced', async (t) => {
  t.match(parse(''), { endpoint: '', checkInsOneIn: 1000, timeoutMs: 10_000 });
});

t.test('what an owner sets is where traces go', async (t) => {
  const tracing = parse(`tracing:
  endpoint: https://collector.example.com:4318
  headers_file: keys/collector
  ca_file: /etc/ssl/collector.pem
  service_name: vigo production
  check_ins_one_in: 50
  timeout: 3s
`);
  t.same(tracing, {
    endpoint: 'https://collector.example.com:4318',
    headersFile: '/home/vigo/keys/collector',
    caFile: '/etc/ssl/collector.pem',
    serviceName: 'vigo production',
    checkInsOneIn: 50,
    timeoutMs: 3000,
  });
  for (const endpoint of ['http://[::1]:4318', 'http://c:4318/otlp/v1/traces']) {
    t.equal(parse(`tracing: {endpoint: "${endpoint}"}`).endpoint, endpoint);
  }
});

t.test('a slip of the hand is found at the start, with its place', async (t) => {
  const bad = {
    'endpoint: collector:4318': 'http://host:port',
    'endpoint: grpc://collector:4317': 'http://host:port',
    'endpoint: http://user:secret@collector:4318': 'http://host:port',
    'endpoint: http://collector:4318?key=1': 'http://host:port',
    'endpoint: http://collector:99999': 'http://host:port',
    'endpoint: http://[::1:4318': 'http://host:port',
    'check_ins_one_in: -1': 'a whole number from 0',
    'check_ins_one_in: 1%': 'a whole number from 0',
    'timeout: 1': 'a duration',
    'service_name: ""': 'a name',
  };
  for (const [line, expected] of Object.entries(bad)) {
    const message = new RegExp(`server.yaml:2:\\d+.*${expected}`, 's');
    t.throws(() => parse(`tracing:\n  ${line}\n`), { code: 'CONFIG_INVALID_VALUE', message }, line);
  }
  t.throws(() => parse('tracing:\n  endpont: x\n'), {
    code: 'CONFIG_UNKNOWN_KEY',
    message: /server.yaml:2:3.*did you mean "endpoint"/s,
  });
});
