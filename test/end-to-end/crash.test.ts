import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import t from 'tap';
import { CallRefused, type TestEnvoy } from '../support/test-envoy.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';

/** The long run of the acceptance test: VIGO_TEST_KILLS=200 VIGO_TEST_ENVOYS=500. */
const kills = Number(process.env.VIGO_TEST_KILLS ?? 10);
const fleet = Number(process.env.VIGO_TEST_ENVOYS ?? 12);
const killAfterMs = { least: 20, most: 400 };

/** An envoy that reports without pause, and again from where the server stands after each crash. */
class Reporter {
  readonly envoy: TestEnvoy;
  acknowledged = 0;
  storeId = 0;
  stopped = false;
  next = 1;
  lastAnswerMs = 0;

  constructor(envoy: TestEnvoy) {
    this.envoy = envoy;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.step();
      } catch (error) {
        if (error instanceof CallRefused && error.result.detail?.code === 'REQUEST_REPLAYED') {
          this.envoy.sequence += 1000;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async step(): Promise<void> {
    const { durableReportSequence, storeId } = await this.envoy.report({
      reportSequence: this.next,
    });
    this.lastAnswerMs = performance.now();
    if (this.storeId !== 0 && storeId !== this.storeId) this.acknowledged = 0;
    this.storeId = storeId;
    this.acknowledged = Math.max(this.acknowledged, durableReportSequence);
    this.next = durableReportSequence + 1;
  }
}

t.test(`nothing acknowledged is lost when the server is killed ${kills} times`, async (t) => {
  // A fast machine reports more than the history keeps by default.
  const server = await TestServer.make(t, { set: ['database.runs_per_envoy=1000000'] });
  const reporters = (await server.provision(fleet)).map((envoy) => new Reporter(envoy));
  const { grpcPort } = await server.start();
  for (const { envoy } of reporters) envoy.moveTo(grpcPort);
  const running = reporters.map((reporter) => reporter.run());
  const firstAnswersMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const waitMs = randomInt(killAfterMs.least, killAfterMs.most);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await server.kill();
    const restartMs = performance.now();
    const run = await server.start();
    for (const { envoy } of reporters) envoy.moveTo(run.grpcPort);
    const answered = () => reporters.some(({ lastAnswerMs }) => lastAnswerMs > restartMs);
    t.ok(await eventually(answered), `start ${kill + 1} serves`);
    firstAnswersMs.push(
      Math.min(
        ...reporters.map(({ lastAnswerMs }) => lastAnswerMs).filter((at) => at > restartMs),
      ) - restartMs,
    );
  }
  const slowest = Math.round(Math.max(...firstAnswersMs));
  t.comment(`restart to first answer: ${slowest} ms at most`);
  const before = reporters.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const goesOn = () => reporters.reduce((sum, { acknowledged }) => sum + acknowledged, 0) > before;
  t.ok(await eventually(goesOn), 'the last start serves');
  for (const reporter of reporters) reporter.stopped = true;
  await Promise.all(running);
  for (const { envoy } of reporters) envoy.close();
  t.equal(await server.signal('SIGTERM'), 0);

  const database = new TestDatabase(server.home.layout.database);
  const found = database.reports();
  const total = reporters.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const lost = reporters.flatMap(({ envoy, acknowledged }) => {
    const kept = new Set(found.get(envoy.envoyId));
    const all = Array.from({ length: acknowledged }, (_, index) => index + 1);
    return all
      .filter((sequence) => !kept.has(sequence))
      .map((sequence) => [envoy.envoyId, sequence]);
  });
  t.same(lost, [], `${total} acknowledged reports are all in the database`);
  for (const [envoyId, sequences] of found) {
    t.equal(new Set(sequences).size, sequences.length, `${envoyId}: each at most once`);
  }
  await database.verifyAudit();
});

t.test('a server whose state directory was deleted is whole again', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  const [envoy] = (await server.provision(1)) as [TestEnvoy];
  envoy.moveTo((await server.start()).grpcPort);
  t.teardown(() => envoy.close());
  const before = await envoy.checkIn();
  for (let count = 0; count < 5; count++) await envoy.report();
  t.equal(await server.signal('SIGTERM'), 0);
  rmSync(server.home.layout.stateDirectory, { recursive: true });

  envoy.moveTo((await server.start()).grpcPort);
  const after = await envoy.checkIn();
  t.not(after.storeId, before.storeId, 'the machine learns that the state is new');
  t.equal(after.settledReportSequence, 5, 'and what the database has');
  const again = await envoy.report({ reportSequence: 3 });
  t.equal(again.durableReportSequence, 5, 'nothing is taken twice');
  t.equal((await envoy.report()).durableReportSequence, 6);
  t.equal(await server.signal('SIGTERM'), 0);
  const database = new TestDatabase(server.home.layout.database);
  t.same(database.reports().get(envoy.envoyId), [1, 2, 3, 4, 5, 6]);
});
