import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { epochAgeLimitMs } from '../../actors/envoy/secret-view.ts';
import { publish } from './support/agent-process.ts';
import { LeakSearch } from './support/leak-search.ts';
import { RecordedAgent } from './support/recorded-agent.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(180_000);

/** Distinctive, and of the kinds that go wrong: quotes, lines, braces that look like a template. */
const planted = {
  variable: 'PLANTED-variable-7f3a9c51',
  rotated: 'PLANTED-rotated-0b64dd28',
  content: 'PLANTED-"quoted"-\'content\'-5d20e8',
  inner: 'PLANTED-inner-{{ .Vars.name }}-91ab44',
  template: 'PLANTED-line-one-63cc\nPLANTED-line-two-88de',
  environment: 'PLANTED-environment-$HOME-2f7b01',
  input: 'PLANTED-input-c4e5a7',
  old: 'PLANTED-old-a91f33',
} as const;

const paths = {
  variable: 'db/password',
  content: 'app/token',
  inner: 'app/inner',
  template: 'app/template',
  environment: 'exec/environment',
  input: 'exec/input',
  old: 'app/old',
} as const;

function stackFor(agent: RecordedAgent, extra = ''): Record<string, string> {
  const at = (name: string) => agent.managed(name);
  return {
    'modules/m.vgo': `name: m
vars: {name: app, password: "secret:db/password", unused: "secret:app/old"}
resources:
  - name: variable
    type: file
    target_path: ${at('variable')}
    content: "password={{ .Vars.password }} length={{ len .Vars.password }}\\n"
  - {name: whole, type: file, target_path: ${at('whole')}, content: "secret:app/token"}
  - name: inner
    type: file
    target_path: ${at('inner')}
    content: |
      # for {{ .Vars.name }}
      url=https://app:secret:app/inner@db.example/
  - {name: file, type: file, target_path: ${at('file')}, source: templates/f.tmpl}
  - name: environment
    type: exec
    command: 'printf %s "$TOKEN" > ${at('environment')}; echo "refused: $TOKEN" >&2; exit 3'
    environment: ["TOKEN=secret:exec/environment"]
    creates: /nonexistent/ever
  - name: input
    type: exec
    command: 'cat > ${at('input')}; cat ${at('input')} >&2; exit 4'
    stdin: "secret:exec/input"
    creates: /nonexistent/ever
  - name: innocent
    type: exec
    command: 'cat ${at('variable')} ${at('whole')} >&2; exit 5'
    creates: /nonexistent/ever
    depends_on: [variable]
${extra}`,
    'templates/f.tmpl': 'name={{ .Vars.name }}\n{{ if true }}key=secret:app/template{{ end }}\n',
    'envoys/all.vgo': '- match: "*"\n  modules: [m]\n',
  };
}

const hostname = 'web-1';

t.test('no secret is found anywhere but where the policy puts it', async (t) => {
  const server = await TestServer.make(t, { shards: 1, interval: '5m' });
  writeFileSync(server.home.layout.configFile, 'log: {level: trace, format: json}\n');
  await server.start();
  let serverOutput = '';
  const listen = () => {
    for (const stream of [server.process?.stdout, server.process?.stderr])
      stream?.on('data', (chunk: Buffer) => {
        serverOutput += chunk.toString();
      });
  };
  listen();
  const agent = new RecordedAgent(t);
  const answers: string[] = [];
  const call = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await rest<T>(server, method, path, body);
    if (!path.endsWith('/reveal')) answers.push(JSON.stringify(answer));
    return answer;
  };
  const set = async (path: string, value: string) => {
    const answer = await call('POST', '/api/v1/secrets/set', { path, value });
    t.equal(answer.status, 200, `set ${path}`);
    await setTimeout(2 * epochAgeLimitMs);
  };
  const run = (...extra: string[]) =>
    agent.vigo('run', '--server', `localhost:${server.run?.grpcPort}`, ...extra);

  t.equal((await call('POST', '/api/v1/secrets/init', {})).status, 200);
  for (const [name, path] of Object.entries(paths))
    await set(path, planted[name as keyof typeof paths]);
  await publish(server, stackFor(agent));
  await agent.enroll(server, hostname);

  const dry = await run('--dry-run');
  t.match(dry.text, /would be created m\/variable/, 'a dry run predicts');
  t.match(dry.text, /not shown: it holds a secret/);
  t.notOk(existsSync(agent.managed('variable')), 'and writes nothing');

  const first = await run();
  t.equal(first.code, 3, 'the commands that were made to fail do');
  const password = `password=${planted.variable} length=${planted.variable.length}\n`;
  t.equal(agent.read('variable'), password, 'functions see the value');
  t.equal(agent.read('whole'), planted.content);
  t.equal(agent.read('inner'), `# for app\nurl=https://app:${planted.inner}@db.example/\n`);
  t.equal(agent.read('file'), `name=app\nkey=${planted.template}\n`);
  t.equal(agent.read('environment'), planted.environment);
  t.equal(agent.read('input'), planted.input);
  t.match(first.text, /refused: \*\*\*/, 'what a command complains of is told without the value');

  appendFileSync(agent.managed('variable'), 'drift\n');
  rmSync(agent.managed('whole'));
  await run();
  t.equal(agent.read('variable'), password, 'drift is repaired');
  t.equal(agent.read('whole'), planted.content);

  const messages = agent.messages.length;
  await set(paths.variable, planted.rotated);
  await run();
  t.match(agent.read('variable'), planted.rotated, 'a rotated value reaches its user');
  const asked = agent.messages.slice(messages).filter(({ what }) => /ResolveSecrets/.test(what));
  t.equal(asked.length, 2, 'by one question');
  const revealed = await call<{ value: string }>('POST', '/api/v1/secrets/reveal', {
    path: paths.variable,
  });
  t.equal(revealed.body.value, planted.rotated);
  t.equal((await call('POST', '/api/v1/secrets/rekey', {})).status, 200);

  await server.kill();
  rmSync(agent.managed('whole'));
  const offline = await run('--offline');
  t.match(offline.text, /blocked +m\/whole: .*app\/token.*\[AGENT_SECRETS_UNAVAILABLE\]/);
  t.notOk(existsSync(agent.managed('whole')), 'no marker is written in place of a value');
  t.match(agent.read('variable'), planted.rotated, 'what was written stays');

  await server.start();
  listen();
  await run();
  t.equal(agent.read('whole'), planted.content, 'a restarted agent and server repair it');
  // The file loses its secret; what it held must not stay as a snapshot, nor show in a diff.
  const plain = stackFor(agent);
  const module = plain['modules/m.vgo']!.replace('"secret:app/token"', '"plain\\n"');
  await publish(server, { ...plain, 'modules/m.vgo': module });
  await run();
  t.equal(agent.read('whole'), 'plain\n');
  await agent.vigo('status', '--all');
  await agent.vigo('status', '--json');

  for (const path of ['envoys', 'runs', 'audit', 'secrets', 'config/history', 'status'])
    await call('GET', `/api/v1/${path}`);
  const runs = await call<{ items: { runId: string }[] }>('GET', '/api/v1/runs');
  for (const { runId } of runs.body.items) await call('GET', `/api/v1/runs/${runId}`);
  t.ok(runs.body.items.length >= 3, 'the runs are there to be searched');
  await server.signal('SIGTERM');

  const search = new LeakSearch(planted);
  const control = search.tree(agent.managed('.'));
  t.ok(control.length >= 5, `the search finds what is there: ${control.length}`);
  const found = [
    ...search.tree(server.directory),
    ...search.tree(join(agent.directory, 'config')),
    ...search.tree(join(agent.directory, 'state')),
    ...agent.messages.flatMap(({ what, bytes }) => search.bytes(what, bytes)),
    ...agent.output.flatMap((text) => search.text('the output of vigo', text)),
    ...answers.flatMap((text) => search.text('an answer of the REST API', text)),
    ...search.text('the output of vigosrv', serverOutput),
  ];
  t.same(found, [], 'nothing else holds a value');
  t.ok(agent.messages.some(({ what }) => what.startsWith('answer') && /Resolve/.test(what)));
  t.ok(serverOutput.length > 1000, 'the server talked');
  t.comment(`${search.searched} bytes searched`);
});
