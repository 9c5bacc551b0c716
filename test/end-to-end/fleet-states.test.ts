import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silenceLimitMs } from '../../actors/envoy/convergence.ts';
import { stateNumber } from '../../actors/envoy/states.ts';
import { complain } from '../../admin/cli/complain.ts';
import { buildProgram } from '../../admin/cli/program.ts';
import { ReportTraitsRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { TestEnvoy } from '../support/test-envoy.ts';
import { emptyOf } from '../support/test-envoy.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

const project = new URL('../..', import.meta.url).pathname;
const intervalMs = 1_000;

t.setTimeout(300_000);
const server = await TestServer.make(t, { interval: `${intervalMs}ms` });
const envoys = await server.provision(3, 'web');
t.teardown(() => envoys.forEach((envoy) => void envoy.close()));
const [quiet, drifting, silent] = envoys as [TestEnvoy, TestEnvoy, TestEnvoy];
const database = new TestDatabase(server.home.layout.database);
await comeBack();

/** The server starts, and the envoys know its new place. */
async function comeBack(): Promise<void> {
  const { grpcPort } = await server.start();
  for (const envoy of envoys) envoy.moveTo(grpcPort);
}

interface TransitionRow {
  readonly to_state: number;
  readonly at_ms: number;
}

function transitions({ envoyId }: TestEnvoy): TransitionRow[] {
  const query = `SELECT to_state, at_ms FROM envoy_transitions WHERE envoy_id = ?
    ORDER BY transition_id`;
  return database.rows<TransitionRow>(query, envoyId);
}

function hasBeen(envoy: TestEnvoy, state: Parameters<typeof stateNumber>[0]): boolean {
  return transitions(envoy).some(({ to_state }) => to_state === stateNumber(state));
}

async function drift(envoy: TestEnvoy, policyChanged = false): Promise<void> {
  const summary = { total: 2, unchanged: 1, created: 0, updated: 1, deleted: 0 };
  const rest = { skipped: 0, blocked: 0, failed: 0 };
  await envoy.report({ state: 2, policyChanged, summary: { ...summary, ...rest } });
  await envoy.checkIn({ state: 2 });
}

t.test('drift is told after the second and third run, and a publish is none', async (t) => {
  await drifting.checkIn({ state: 0 });
  for (let version = 0; version < 3; version += 1) await drift(drifting, true);
  t.ok(await eventually(() => hasBeen(drifting, 'converged')));
  t.notOk(hasBeen(drifting, 'relapsed'), 'three publishes are three times no drift');
  for (let run = 0; run < 3; run += 1) await drift(drifting);
  t.ok(await eventually(() => hasBeen(drifting, 'diverged')));
  const order = transitions(drifting).map(({ to_state }) => to_state);
  const drifts = order.filter((state) => state >= stateNumber('relapsed') && state <= 6);
  t.same(drifts, [stateNumber('relapsed'), stateNumber('diverged')]);
});

t.test('silence is told, and who comes back is what it was', async (t) => {
  await silent.checkIn();
  t.ok(await eventually(() => hasBeen(silent, 'offline')), 'a timer found it');
  const [came, went] = transitions(silent);
  t.ok(went!.at_ms - came!.at_ms >= silenceLimitMs(intervalMs) - 100, 'not before its time');
  await silent.checkIn();
  t.ok(await eventually(() => transitions(silent).length >= 3));
  t.equal(transitions(silent)[2]?.to_state, stateNumber('converged'));
});

/**
 * The server dies while `quiet` is there, and comes back after more than the allowed silence. The
 * change of state that follows; undefined when a slow machine made it silent before the server died.
 */
async function changeAfterAbsence(): Promise<TransitionRow | undefined> {
  await quiet.checkIn();
  await eventually(() => transitions(quiet).at(-1)?.to_state === stateNumber('converged'));
  await server.signal('SIGKILL');
  const before = transitions(quiet).length;
  const wasThere = transitions(quiet).at(-1)?.to_state === stateNumber('converged');
  await new Promise((resolve) => setTimeout(resolve, silenceLimitMs(intervalMs)));
  await comeBack();
  if (!wasThere) return undefined;
  await eventually(() => transitions(quiet).length > before);
  const change = transitions(quiet)[before];
  // It stood in the outbox when the server died.
  return change !== undefined && change.at_ms < startedAtMs() ? undefined : change;
}

function startedAtMs(): number {
  return server.run?.startedAt ?? Number.NaN;
}

t.test('the absence of the server is nobody’s silence', async (t) => {
  let change: TransitionRow | undefined;
  for (let attempt = 0; attempt < 10 && change === undefined; attempt += 1) {
    change = await changeAfterAbsence();
  }
  t.equal(change?.to_state, stateNumber('offline'), 'it did not come back, either');
  t.ok(
    (change?.at_ms ?? 0) - startedAtMs() >= silenceLimitMs(intervalMs) - 100,
    'after the start it had all of its time',
  );
});

t.test('the overview and the list tell the same story', async (t) => {
  await quiet.checkIn();
  await eventually(() => transitions(quiet).at(-1)?.to_state === stateNumber('converged'));
  const overview = await rest<{ envoys: { active: number } }>(
    server,
    'GET',
    '/api/v1/fleet/overview?window=7d',
  );
  t.match(overview.body, { envoys: { active: 3 }, series: { window: '7d' }, attention: Array });
  const list = await rest<{ items: { hostname: string }[] }>(
    server,
    'GET',
    '/api/v1/envoys?selector=web-*&sort=hostname&order=desc&limit=2',
  );
  t.match(list.body, { total: 3, items: [{ hostname: 'web-2' }, { hostname: 'web-1' }] });
  const wrong = await rest(server, 'GET', '/api/v1/envoys?selector=os.family~x');
  t.match(wrong, { status: 400, body: { code: 'API_BAD_SELECTOR', details: { column: 10 } } });
});

/** A line of a page in this process: a program of its own for each would take most of the time. */
async function runLine(line: string): Promise<{ code: number; output: string }> {
  const output: string[] = [];
  const program = buildProgram({ indent: 2, write: (text) => void output.push(text) });
  const words = [...line.replace(/ # exit \d+$/, '').matchAll(/"([^"]*)"|(\S+)/g)];
  const [name, ...args] = words.map(([, quoted, plain]) => quoted ?? plain ?? '');
  try {
    if (name !== 'vigocli') throw new Error(`${name} is not vigocli`);
    await program.parseAsync(args, { from: 'user' });
    return { code: 0, output: output.join('') };
  } catch (error) {
    return { code: complain(error, false), output: `${output.join('')}${error}` };
  }
}

t.test('the pages on states and selectors hold', async (t) => {
  const traits = { os: { family: 'debian', version: '12' }, hardware: { cpu_count: 4 } };
  const traitsJson = Buffer.from(JSON.stringify(traits));
  const body = { ...emptyOf(ReportTraitsRequest), traitsJson };
  const encoded = ReportTraitsRequest.encode(body).finish();
  await drifting.checkIn();
  await drifting.send('ReportTraits', drifting.request('ReportTraits', encoded));
  const stored = () => database.rows('SELECT 1 FROM trait_postings LIMIT 1').length > 0;
  t.ok(await eventually(stored));
  process.env.VIGO_HOME = server.directory;
  for (const page of ['states', 'selectors']) {
    const text = readFileSync(join(project, `docs/${page}.md`), 'utf8');
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
    const lines = blocks.flatMap((block) => block.trimEnd().split('\n'));
    t.ok(lines.length > 5, 'it has examples');
    for (const line of lines) {
      const expected = Number(/# exit (\d+)$/.exec(line)?.[1] ?? 0);
      const { code, output } = await runLine(line);
      t.equal(code, expected, `${line}\n${output}`);
    }
  }
});
