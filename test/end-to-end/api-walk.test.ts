/**
 * What is lost when this fails: a program with a client generated from the OpenAPI document cannot do
 * what a person does at the dashboard (dashboard.test.ts walks the same way in a browser).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import { openApiDocument } from '../../admin/api/openapi.ts';
import { routeTable } from '../../admin/api/route-table.ts';
import { filesStack, stackOf, TestAgent, writeStack } from './support/agent-process.ts';
import { base32Bytes } from './support/base32.ts';
import { eventually } from './support/database.ts';
import { TestServer } from './support/server-process.ts';
import { Browser } from './support/web-client.ts';

t.setTimeout(300_000);
const project = fileURLToPath(new URL('../../', import.meta.url));
const password = 'otter balcony prism 42';

type Reply = { status: number; data: unknown };
type Call = (...words: unknown[]) => Promise<Reply>;
type Client = Record<string, Call> & { readonly defaults: { fetch?: typeof fetch } };

/** As docs/api.md tells programs to do it. */
async function generateClient(directory: string): Promise<Client> {
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'openapi.json'), JSON.stringify(openApiDocument(routeTable)));
  const program = join(project, 'node_modules/.bin/oazapfts');
  execFileSync(program, ['openapi.json', 'client.ts'], { cwd: directory });
  return (await import(pathToFileURL(join(directory, 'client.ts')).href)) as Client;
}

/** Carries the client's requests to the server of the test, with the cookies of one person. */
function fetchOf(person: Browser): typeof fetch {
  return async (address, { method = 'GET', body } = {}) => {
    const given = typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined;
    const answer = await person.send(method, String(address), given);
    const headers = { 'content-type': 'application/json' };
    return new Response(JSON.stringify(answer.body), { status: answer.status, headers });
  };
}

t.test('the walk of the dashboard, by a generated client', async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'vigo-api-walk-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const server = await TestServer.make(t, {
    interval: '1s',
    set: [
      ...['publish.approval=required', 'publish.stages=web-1'],
      ...['publish.observe=3s', 'publish.threshold=100'],
    ],
  });
  await server.start();
  const vigo = await generateClient(work);
  const people = { ada: new Browser(server), ben: new Browser(server) };
  /** Calls an operation as one of them; anything but success is an error with its code. */
  const as =
    (name: keyof typeof people) =>
    async <T = Record<string, unknown>>(operation: string, ...words: unknown[]): Promise<T> => {
      vigo.defaults.fetch = fetchOf(people[name]);
      const call = vigo[operation];
      if (call === undefined) throw new Error(`the client has no ${operation}`);
      const { status, data } = await call(...words);
      if (status !== 200) throw new Error(`${operation}: ${status} ${JSON.stringify(data)}`);
      return data as T;
    };
  const [ada, ben] = [as('ada'), as('ben')];

  const code = /\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b/.exec(server.output)?.[0];
  await ada('postSetup', { code, name: 'ada', password });
  const { secret } = await ada('postAccountTotp', { current: password });
  const key = base32Bytes(String(secret));
  const step = totpStepAt(Date.now());
  await ada('postAccountTotpConfirm', { code: totpCode(key, step) });
  await ada('deleteSession', {});
  const challenge = await ada('postSession', { name: 'ada', password });
  const login = { challenge: challenge.challenge, code: totpCode(key, step + 1) };
  await ada('postSessionSecondFactor', login);
  t.match(await ada('getSession', {}), { name: 'ada', totp: true }, 'logged in with TOTP');

  const made = await ada('postUsers', { name: 'ben', role: 'approver' });
  await ben('postSession', { name: 'ben', password: made.password });
  await ben('postAccountPassword', { current: made.password, next: password });

  const agents = ['web-1', 'web-2'].map((hostname) => new TestAgent(t, hostname));
  for (const agent of agents) {
    await agent.enroll(server);
    if (agent.hostname === 'web-2') mkdirSync(agent.at('etc/issue/kept'), { recursive: true });
    agent.start();
  }
  const publish = async (files: Readonly<Record<string, string>>, reason: string) => {
    writeStack(server, files);
    const { contentHash } = await ada('postConfigPublish', { message: reason });
    await t.rejects(ada('postConfigApprove', { contentHash, reason }), /PUBLISH_OWN_CANDIDATE/);
    await ben('postConfigApprove', { contentHash, reason });
  };
  await publish(filesStack({ '/etc/motd': 'hello\n' }), 'to begin with');
  t.ok(await eventually(() => agents.every((agent) => agent.read('/etc/motd') === 'hello\n')));
  const file = (path: string) =>
    `  - { name: ${path.slice(5)}, type: file, target_path: ${path}, content: "welcome\\n" }\n`;
  await publish(stackOf(file('/etc/motd') + file('/etc/issue')), 'people like to be greeted');

  const until = async (what: string, look: () => Promise<boolean>) => {
    const endMs = Date.now() + 60_000;
    while (!(await look())) {
      if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await until('the rollout', async () => {
    const { rollout } = await ben<{ rollout?: { status: string } }>('getConfigRollout');
    return rollout?.status === 'completed';
  });

  type Items<T> = { readonly items: readonly T[] };
  await until('the traits', async () => {
    const selector = 'os.family=debian,web-2';
    const { items } = await ada<Items<{ hostname: string }>>('getEnvoys', { selector });
    return items.length === 1 && items[0]?.hostname === 'web-2';
  });
  t.match(await ada('getFleetOverview'), { envoys: { active: 2 } });
  type Run = { readonly id: string; readonly failed: number; readonly updated: number };
  const runs = await ada<Items<Run>>('getRuns', { envoy: agents[1]?.envoyId });
  const failed = runs.items.find((run) => run.failed === 1 && run.updated === 1);
  const run = JSON.stringify(await ada('getRunsById', failed?.id));
  t.match(run, /AGENT_PATH_OCCUPIED/, 'why it failed');
  t.match(run, /-hello\\n\+welcome/, 'and what it changed');

  await until('a checkpoint above the approval', async () => {
    const query = { newest: true, $type: 'candidate.approved', limit: 1 };
    const { items } = await ada<Items<{ sequence: number }>>('getAudit', query);
    const proof = ada('getAuditEntriesBySequenceProof', items[0]?.sequence);
    return (await proof.catch(() => undefined)) !== undefined;
  });
});
