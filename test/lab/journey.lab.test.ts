import t, { type Test } from 'tap';
import type { ServerStatus } from '../../actors/server/status.ts';
import type { RunView } from '../../admin/api/backend.ts';
import { requires } from '../support/requires.ts';
import { JourneyNode, passInterval } from './journey-node.ts';
import { composeFile, nginxConfig, samplesStack, wantedConfig } from './journey-stack.ts';
import { type Lab, startLab } from './lab.ts';
import { eventually, LabServer, pause } from './lab-server.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
/** How long the agent at rest is watched. */
const restMs = 4000;
/** A call that died with the cable, then the longest wait of an agent that backs off, and a drain. */
const reconnectLimitMs = 120_000;
const name = 'web-1';
const nginxStarts = '/var/log/nginx-starts';
const appStarts = '/var/log/app-stack.log';

// Mostly waiting: for passes, for apt, and for an agent that backs off.
t.setTimeout(300_000);

t.test('a real Debian under a real server', { skip }, async (t) => {
  let lab: Lab;
  let server: LabServer;
  let node: JourneyNode;
  let greeting = 'hello';
  const sh = (text: string) => node.sh(text);

  t.before(async () => {
    lab = await startLab();
    server = await LabServer.start(lab, '1s');
    await server.publish(samplesStack(greeting));
    node = new JourneyNode(await lab.host(name));
    await node.prepare();
  });
  t.teardown(async () => {
    await server?.stop();
    await lab?.stop();
  });

  async function asDeclared(): Promise<boolean> {
    if ((await node.read(nginxConfig)) !== wantedConfig(greeting)) return false;
    const command = `test -f ${nginxConfig} -a ! -L ${nginxConfig}
      test "$(stat -c %a:%U:%G ${nginxConfig})" = 644:root:root
      test "$(systemctl is-enabled nginx) $(systemctl is-active nginx)" = 'enabled active'
      test "$(dpkg-query -Wf '\${db:Status-Status} ' nginx apt-transport-https)" = 'installed installed '
      test "$(stat -c %a ${composeFile})" = 644
      grep -q 'image: nginx:latest$' ${composeFile}`;
    return (await node.host.run(['sh', '-ec', command])).exitCode === 0;
  }

  /** The runs after `before`, oldest first. */
  async function runsAfter(before: RunView | undefined): Promise<RunView[]> {
    const runs = await server.runs(name);
    const at = runs.findIndex(({ id }) => id === before?.id);
    return (at < 0 ? [...runs] : runs.slice(0, at)).reverse();
  }

  /** The runs after `before`, once the server says that all has been as declared since the last. */
  function settled(before: RunView | undefined): Promise<RunView[]> {
    return eventually('the server says: converged', async () => {
      const { state } = await server.envoy(name);
      const fresh = await runsAfter(before);
      // A repair makes the envoy converged at once; the pass after it, which finds nothing, is told too.
      return state === 'converged' && fresh.at(-1)?.state === 'converged' && fresh;
    });
  }

  /** "action resource" of everything that these runs did, and the reasons given. */
  async function told(runs: readonly RunView[]) {
    const details = await Promise.all(runs.map((run) => server.show(run)));
    const results = details
      .flatMap(({ results }) => results)
      .filter(({ action }) => action !== 'none' && action !== 'skipped');
    return {
      runs,
      acts: results.map(({ action, id }) => `${action} ${id}`),
      reasons: results.map(({ reason }) => reason).join('\n'),
    };
  }

  /** Waits for so many more check-ins of the machine. */
  async function checkIns(count: number): Promise<void> {
    const answered = async () => (await server.get<ServerStatus>('status')).totals.checkIns;
    const before = await answered();
    await eventually('more check-ins', async () => (await answered()) >= before + count);
  }

  /** Waits until the agent holds no result that the server has not settled. */
  async function settledQueue(): Promise<void> {
    const empty = async () => (await node.status()).pendingResults === 0;
    await eventually('the queue is empty', empty, reconnectLimitMs);
  }

  /** The machine and the server agree that nothing happens for three more check-ins. */
  async function quiet(t: Test): Promise<void> {
    const [newest] = await server.runs(name);
    const starts = [await node.count(nginxStarts), await node.count(appStarts)];
    await checkIns(3);
    t.same(await runsAfter(newest), [], 'no other run was reported');
    t.match(await server.envoy(name), { state: 'converged' });
    t.same([await node.count(nginxStarts), await node.count(appStarts)], starts);
    await settledQueue();
  }

  t.test('converges from nothing', async (t) => {
    await node.enroll(server);
    await eventually('all is as declared', asDeclared);
    const runs = await settled(undefined);
    t.same((await told(runs)).acts.sort(), [
      'created myapp/App compose file',
      'created repositories/Install apt-transport-https',
      'created webserver/Install nginx',
      'updated myapp/App stack',
      'updated webserver/Nginx config',
      'updated webserver/Restart nginx',
    ]);
    t.equal(await node.page(), greeting, 'nginx answers with the declared configuration');
    t.equal(await node.count(appStarts), 1, 'the trigger fired once');
    const [first] = runs;
    const all = (await server.show(first!)).results;
    t.match(
      all.find(({ id }) => id === 'repositories/Install epel-release'),
      { action: 'skipped' },
      'what is for another family stays away',
    );
    t.comment(await server.cli('runs', 'show', first!.id, '--all'));
  });

  t.test('a second pass changes nothing', quiet);

  const restarted = ['updated webserver/Nginx config', 'updated webserver/Restart nginx'];
  const recreated = ['created webserver/Nginx config', 'updated webserver/Restart nginx'];

  for (const [what, damage, wanted, reason, starts] of [
    ['stopped', 'systemctl stop nginx', ['updated running/Run nginx'], /inactive\/dead/, 1],
    ['disabled', 'systemctl -q disable nginx', ['updated running/Run nginx'], /disabled/, 0],
    ['edited', `echo '# mine' >>${nginxConfig}`, restarted, /content differs/, 1],
    ['made writable', `chmod 666 ${nginxConfig}`, restarted, /0666/, 1],
    ['deleted', `rm ${nginxConfig}`, recreated, /missing/, 1],
    [
      'replaced by a directory',
      `perl -e 'unlink $ARGV[0]; mkdir $ARGV[0]' ${nginxConfig}`,
      restarted,
      /directory/,
      1,
    ],
    [
      'replaced by a link',
      `ln -s /etc/hostname /root/link; mv -T /root/link ${nginxConfig}`,
      restarted,
      /link/,
      1,
    ],
  ] as const)
    t.test(`${what} by hand: put back`, async (t) => {
      const before = await node.count(nginxStarts);
      const { acts, reasons } = await repaired(t, () => sh(damage));
      t.same(acts, wanted);
      t.match(reasons, reason);
      t.equal(await node.count(nginxStarts), before + starts, 'nginx was started once, if at all');
      t.equal(await node.page(), greeting);
    });

  t.test('a package removed by hand comes back with its configuration', async (t) => {
    const purge = 'apt-get -qqy purge nginx nginx-common >/dev/null';
    const { acts, reasons } = await repaired(t, () => sh(purge));
    t.ok(acts.includes('created webserver/Install nginx'), acts.join(', '));
    t.ok(acts.includes('updated webserver/Restart nginx'), acts.join(', '));
    t.match(reasons, /nginx is not installed/);
    t.equal(await node.page(), greeting);
    const removed = await repaired(t, () =>
      sh('apt-get -qqy remove apt-transport-https >/dev/null'),
    );
    t.same(removed.acts, ['created repositories/Install apt-transport-https']);
  });

  t.test('the trigger of the third sample fires again, once', async (t) => {
    const before = await node.count(appStarts);
    const { acts } = await repaired(t, () => sh(`echo '# mine' >>${composeFile}`));
    t.same(acts, ['updated myapp/App compose file', 'updated myapp/App stack']);
    t.equal(await node.count(appStarts), before + 1);
  });

  t.test('a published change reaches the machine', async (t) => {
    const before = await node.count(nginxStarts);
    const { acts } = await repaired(t, async () => {
      greeting = 'hello again';
      await server.publish(samplesStack(greeting));
    });
    t.same(acts, restarted);
    t.equal(await node.page(), greeting);
    t.equal(await node.count(nginxStarts), before + 1, 'nginx was restarted once');
    t.equal((await server.envoy(name)).policyVersion, 2);
  });

  t.test('with the cable pulled it goes on, and tells everything afterwards, once', async (t) => {
    const [before] = await server.runs(name);
    await node.host.link('down');
    for (const damage of [
      `rm ${nginxConfig}`,
      'systemctl stop nginx',
      `chmod 600 ${composeFile}`,
    ]) {
      await sh(damage);
      await watched(t);
    }
    const cut = await node.status();
    t.ok(cut.pendingResults >= 2, `${cut.pendingResults} results wait`);
    t.equal((await server.runs(name))[0]?.id, before?.id, 'the server knows nothing of it');
    await node.host.link('up');
    await settledQueue();
    const runs = await settled(before);
    const { acts } = await told(runs);
    for (const act of ['updated running/Run nginx', 'updated myapp/App compose file'])
      t.equal(acts.filter((one) => one === act).length, 1, `${act}, told once`);
    const offline = runs.filter((run) => run.offline);
    t.ok(offline.length >= 2, `${offline.length} runs were made offline`);
    t.same(
      runs.map(({ reportSequence }) => reportSequence),
      runs.map((_, index) => before!.reportSequence + 1 + index),
      'no report is missing, none came twice',
    );
  });

  t.test('after a reboot the agent is there and repairs what happened meanwhile', async (t) => {
    const { acts } = await repaired(t, async () => {
      await sh(`systemctl stop vigo; systemctl -q disable nginx; rm ${composeFile}`);
      await node.host.reboot();
    });
    t.same(acts.sort(), [
      'created myapp/App compose file',
      'updated myapp/App stack',
      'updated running/Run nginx',
    ]);
    t.equal(await node.page(), greeting);
  });

  t.test('at rest', async (t) => {
    await quiet(t);
    const before = await node.usage();
    await pause(restMs);
    const after = await node.usage();
    const cpuMs = Math.round((after.cpuSeconds - before.cpuSeconds) * 1000);
    t.comment(`agent: ${after.rssKb} KB RSS, ${after.threads} threads`);
    t.comment(
      `agent and its commands: ${cpuMs} ms CPU in ${restMs} ms, a pass each ${passInterval}`,
    );
  });

  t.test('the server stops in order', async (t) => {
    t.equal((await server.stop()).exitCode, 0);
  });

  /** Waits until all is as declared. */
  async function watched(t: Test): Promise<void> {
    const startedMs = Date.now();
    await eventually('all is as declared', asDeclared);
    t.comment(`as declared after ${Date.now() - startedMs} ms`);
  }

  /** Does it, waits for the repair, and answers what the server says of it. */
  async function repaired(t: Test, disturb: () => Promise<unknown>) {
    const [before] = await server.runs(name);
    await disturb();
    await watched(t);
    return told(await settled(before));
  }
});
