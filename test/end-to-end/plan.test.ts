import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FidelityView, PlanView } from '../../actors/plan/view.ts';
import { publish, stackOf, TestAgent, writeStack } from './support/agent-process.ts';
import { eventually } from './support/database.ts';
import { TestServer } from './support/server-process.ts';
import { type CliResult, cli } from './support/vigocli.ts';

const comparedLimitMs = 30_000;

/** What is live at first: a directory, a file in it, a file with a line, one that will go. */
const first = stackOf(`
  - name: Place
    type: directory
    target_path: /srv/app
  - name: Settings
    type: file
    target_path: /srv/app/settings
    content: "one\\n"
    depends_on: [Place]
  - name: Note
    type: file
    target_path: /srv/note
    content: "note\\n"
`);

/** Everything that a plan must foretell: new trees, edits of new files, cascades, conditions. */
const second = stackOf(`
  - name: Place
    type: directory
    target_path: /srv/app
  - name: Settings
    type: file
    target_path: /srv/app/settings
    content: "one\\ntwo\\n"
    depends_on: [Place]
    notify: [Seen]
  - name: Seen
    type: file
    target_path: /srv/app/seen
    content: "seen\\n"
    when: changed
  - name: Tree
    type: directory
    target_path: /srv/new/deep/tree
  - name: Leaf
    type: file
    target_path: /srv/new/deep/tree/leaf
    content: "of version {{ .Traits.identity.agent_version }}\\n"
    depends_on: [Tree]
  - name: Line
    type: file_line
    target_path: /srv/new/deep/tree/leaf
    line: "added"
    depends_on: [Leaf]
  - name: Link
    type: symlink
    target_path: /srv/current
    to: /srv/new
    depends_on: [Tree]
  - name: Through
    type: file
    target_path: /srv/current/through
    content: "through\\n"
    depends_on: [Link]
  - name: Only here
    type: file
    target_path: /srv/only
    content: "only\\n"
    when: file_exists('/srv/new/deep/tree/leaf')
    depends_on: [Leaf]
  - name: Never
    type: file
    target_path: /srv/never
    content: "never\\n"
    when: file_exists('/nowhere')
  - name: Blocked
    type: directory
    target_path: /srv/app/settings/below
    depends_on: [Settings]
  - name: Job
    type: cron
    command: "true"
    minute: "5"
`);

t.test('a plan tells what comes, and the outcome is compared with it', async (t) => {
  const server = await TestServer.make(t, { interval: '1s' });
  await server.start();
  const vigocli = (...args: string[]): Promise<CliResult> =>
    cli(['--home', server.directory, ...args]);
  const agents = ['web-1', 'web-2', 'web-3'].map((name) => new TestAgent(t, name));
  await publish(server, first);
  for (const agent of agents) {
    await agent.enroll(server);
    agent.start();
  }
  const settled = () => agents.every((agent) => agent.read('/srv/note') === 'note\n');
  t.ok(await eventually(settled), 'all enforce the first policy');

  const same = await vigocli('config', 'plan');
  t.match(same, { code: 0, out: /nothing would change/ }, same.complaint);

  writeStack(server, second);
  const offline = await vigocli('config', 'plan');
  t.equal(offline.code, 2, offline.complaint);
  t.match(offline.out, /\+ m\/Tree/);
  t.match(offline.out, /m\/Note .*unmanage/);
  t.match(offline.out, /\+two/);
  t.match(offline.out, /\? m\/Never .*needs --live/);
  t.match(offline.out, /on 3 envoys in 1 group/);

  const live = await vigocli('--json', 'config', 'plan', '--live', '--all', '--wait', '60s');
  t.equal(live.code, 2, live.complaint);
  const plan = JSON.parse(live.out) as PlanView;
  t.match(plan.live, { asked: 3, answered: 3, over: true });
  const told = Object.fromEntries(plan.live!.resources.map(({ id, actions }) => [id, actions]));
  t.same(told, {
    'm/Settings': { updated: 3 },
    'm/Seen': { created: 3 },
    'm/Tree': { created: 3 },
    'm/Leaf': { created: 3 },
    'm/Line': { updated: 3 },
    'm/Link': { created: 3 },
    'm/Through': { created: 3 },
    'm/Only here': { created: 3 },
    'm/Never': { skipped: 3 },
    'm/Blocked': { failed: 3 },
    'm/Job': { created: 3 },
  });
  t.equal(agents[0]!.read('/srv/new/deep/tree/leaf'), undefined, 'nothing was done');
  t.equal(agents[0]!.read('/srv/app/settings'), 'one\n');

  const early = await vigocli('config', 'fidelity');
  t.match(early, { code: 1, complaint: /published without a plan has no score/ });
  const published = await vigocli('config', 'publish', '--plan', plan.id);
  t.equal(published.code, 0, published.complaint);
  const fidelity = await compared(vigocli, plan.id, 3);
  t.equal(fidelity.score, 1, JSON.stringify(fidelity.misses));
  t.match(fidelity.planId, plan.id);
  t.ok(fidelity.types.every(({ basis }) => basis === 'live'));
  t.match((await vigocli('config', 'fidelity')).out, /Fidelity: 100 % \(\d+ of \d+ as predicted\)/);

  await t.test(
    'a node that changes in between costs the score, and the type is named',
    async (t) => {
      const third = stackOf(`
  - name: Fresh
    type: file
    target_path: /srv/fresh
    content: "fresh\\n"
`);
      writeStack(server, third);
      const again = await vigocli('--json', 'config', 'plan', '--live', '--all', '--wait', '60s');
      t.equal(again.code, 2, again.complaint);
      writeFileSync(agents[1]!.at('/srv/fresh'), 'something else\n');
      await vigocli('config', 'publish');
      const { id } = JSON.parse(again.out) as PlanView;
      const after = await compared(vigocli, id, 3);
      t.ok(after.score! < 1);
      t.match(after.types, [{ type: 'file', predicted: 3, matching: 2 }]);
      const miss = {
        hostname: 'web-2',
        resource: 'm/Fresh',
        predicted: 'created',
        actual: 'updated',
      };
      t.match(after.misses, [miss]);
      t.match((await vigocli('config', 'fidelity')).out, /Fidelity: 66\.66 %/);
    },
  );

  await t.test('who does not answer is named, and the plan is partial', async (t) => {
    await agents[2]!.end('SIGKILL');
    writeStack(server, first);
    const plan = await vigocli('config', 'plan', '--live', '--all', '--wait', '6s');
    t.equal(plan.code, 3, plan.complaint);
    t.match(plan.out, /no answer: web-3/);
    t.match(plan.out, /Rehearsed on 2 of 3 envoys/);
    const nobody = await vigocli('config', 'plan', '--live', '--target', 'db-*');
    t.match(nobody, { code: 4, complaint: /PLAN_NOBODY_TO_ASK/ });
    t.equal((await vigocli('config', 'plan', '--sample', '2')).code, 64);
    const broken = join(server.home.layout.stacksDirectory, 'modules/broken.vgo');
    writeFileSync(broken, 'name: broken\nresources: 5\n');
    t.match(await vigocli('config', 'plan'), { code: 1, complaint: /broken\.vgo/ });
    rmSync(broken);
  });
});

/** The comparison, once so many envoys are in it. */
async function compared(
  vigocli: (...args: string[]) => Promise<CliResult>,
  planId: string,
  envoys: number,
): Promise<FidelityView> {
  const untilMs = Date.now() + comparedLimitMs;
  for (;;) {
    const { out } = await vigocli('--json', 'config', 'fidelity', '--plan', planId);
    const view = JSON.parse(out) as FidelityView;
    if (view.envoys.compared === envoys) return view;
    if (Date.now() > untilMs) throw new Error(`not compared: ${out}`);
  }
}
