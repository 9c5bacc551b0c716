import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { FidelityView, PlanView } from '../../actors/plan/view.ts';
import { requires } from '../support/requires.ts';
import { adopt } from './adopt.ts';
import { AgentNode } from './agent-node.ts';
import { makeRepository, repositoryInHost, useRepository } from './apt-repository.ts';
import { debianPackages } from './debian-packages.ts';
import { examples, packagesOfExamples } from './examples.ts';
import { type Lab, startLab } from './lab.ts';
import { eventually, LabServer } from './lab-server.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const project = new URL('../..', import.meta.url).pathname;
/** Packages are installed by real maintainer scripts, one host after the other. */
const convergeLimitMs = 240_000;
const changesPending = 2;
/** From here on the log says what a host did meanwhile. */
const slowMs = 60_000;

t.setTimeout(1_200_000);

/** One installs packages while another waits for its agents. */
const atATime = 2;
const firstPort = 1540;

t.test('every example on real hosts', { skip }, async (t) => {
  t.jobs = atATime;
  let lab: Lab;
  let repository: string;

  t.before(async () => {
    repository = makeRepository([], debianPackages(packagesOfExamples));
    lab = await startLab({ shared: { [repositoryInHost]: repository } });
  });
  t.teardown(async () => {
    await lab?.stop();
    if (repository !== undefined) rmSync(repository, { recursive: true, force: true });
  });

  for (const [index, { stack, hosts, secrets = [], adopted }] of examples.entries())
    t.test(`${stack} on ${hosts.join(' and ')}`, async (t) => {
      const took = stopwatch(t);
      const server = await LabServer.start(lab, '1s', firstPort + index);
      try {
        if (secrets.length > 0) await server.cli('secrets', 'init');
        for (const path of secrets) await setSecret(server, path);
        const nodes = await Promise.all(hosts.map((name) => prepare(lab, server, name)));
        took('server and hosts');
        await walk(t, server, `${project}examples/${stack}`, hosts);
        if (adopted === true) await adopt(t, server, nodes[0]!);
      } finally {
        await Promise.all(hosts.map(async (name) => (await lab.host(name)).down()));
        await server.stop();
      }
    });
});

async function setSecret(server: LabServer, path: string): Promise<void> {
  const file = join(server.home, 'secret');
  writeFileSync(file, `value of ${path}`);
  await server.cli('secrets', 'set', path, '--file', file);
}

/** A fresh host under an agent that has no policy yet. */
async function prepare(lab: Lab, server: LabServer, name: string): Promise<AgentNode> {
  const node = new AgentNode(await lab.host(name));
  useRepository(node.host);
  await node.sh('apt-get -qq update');
  await node.install('500ms');
  await node.enroll(server);
  return node;
}

/** Validate, plan on the hosts, publish, converge, compare, and plan again. */
async function walk(
  t: Test,
  server: LabServer,
  stack: string,
  hosts: readonly string[],
): Promise<void> {
  const planWords = ['--json', 'config', 'plan', '--live', '--all', '--stack', stack];
  const took = stopwatch(t);
  await server.cli('config', 'validate', '--stack', stack);
  took('validate');
  const plan = await planOn(hosts.length, server, planWords);
  t.match(plan.live, { answered: hosts.length, troubles: [] });
  took('plan');
  const publish = ['-m', 'an example', '--stack', stack, '--plan', plan.id];
  await server.cli('config', 'publish', ...publish);
  await Promise.all(hosts.map((name) => converged(t, server, name)));
  took('publish and converge');
  const fidelity = await eventually('every outcome is compared', async () => {
    const view = await server.json<FidelityView>('config', 'fidelity', '--plan', plan.id);
    return view.envoys.compared === hosts.length && view;
  });
  t.same(fidelity.misses, [], 'what happened is what was predicted');
  t.equal(fidelity.score, 1);
  const again = await server.run(...planWords);
  t.equal(again.exitCode, 0, `a second plan is empty: ${again.stdout}`);
  took('compare and plan again');
  const predicted = fidelity.types.reduce((sum, row) => sum + row.predicted, 0);
  const open = fidelity.undetermined.map(({ hostname, resource }) => `${hostname} ${resource}`);
  t.comment(`${predicted - open.length} of ${predicted} predictions came true`);
  if (open.length === 0) return;
  t.comment(`only the node could tell: ${open.join(', ')}`);
  const told = await server.cli('config', 'fidelity', '--plan', plan.id);
  t.match(told, new RegExp(`Fidelity: 100 % .*; ${open.length} undetermined`));
}

/** Tells how long each step took, so that a slow one can be found in the log. */
function stopwatch(t: Test): (step: string) => void {
  let before = performance.now();
  return (step) => {
    const now = performance.now();
    t.comment(`${step}: ${Math.round((now - before) / 100) / 10} s`);
    before = now;
  };
}

/** An agent that has just been started is asked once the database has heard of it. */
async function planOn(count: number, server: LabServer, words: string[]): Promise<PlanView> {
  let complaint = '';
  try {
    return await eventually(`${count} hosts rehearse the stack`, async () => {
      const { exitCode, stdout, stderr } = await server.run(...words);
      complaint = stderr;
      if (exitCode !== changesPending) return undefined;
      const plan = JSON.parse(stdout) as PlanView;
      return plan.live?.asked === count && plan;
    });
  } catch (error) {
    throw new Error(`${String(error)}\n${complaint}`);
  }
}

/** Waits until the host says that all is as declared; names what is not otherwise. */
async function converged(t: Test, server: LabServer, name: string): Promise<void> {
  const before = performance.now();
  try {
    await eventually(
      `${name} converges`,
      async () => {
        const { state, policyVersion } = await server.envoy(name);
        return policyVersion > 0 && state === 'converged';
      },
      convergeLimitMs,
    );
    if (performance.now() - before > slowMs)
      t.comment(`${name} took long: ${JSON.stringify(await server.runs(name))}`);
  } catch (error) {
    const [last] = await server.runs(name);
    const bad = last && (await server.show(last)).results.filter(({ errorCode }) => errorCode);
    throw new Error(`${String(error)}\n${JSON.stringify(bad, undefined, 2)}`);
  }
}
