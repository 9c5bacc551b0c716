import type { Test } from 'tap';
import { AgentNode } from './agent-node.ts';
import type { KernelHost } from './kernel-host.ts';
import { eventually, type LabServer, pause } from './lab-server.ts';

const interval = '500ms';
const file = '/etc/lab-clock';
const text = 'in time\n';
const stack = {
  'modules/clock.vgo': `name: clock
resources:
  - name: File
    type: file
    target_path: ${file}
    content: |
      in time
`,
  'site.vgo': 'match: "*"\nmodules: clock\n',
};
const watchedMs = 3000;

/**
 * The agent as a service of the host, while somebody sets the clock of that host: it goes on
 * enforcing, and a server that refuses its requests meanwhile hears of everything afterwards.
 */
export async function clockJumps(t: Test, host: KernelHost, server: LabServer): Promise<void> {
  const node = new AgentNode(host);
  const declared = async () => (await host.run(['cat', file])).stdout === text;
  const repaired = () => eventually('the file is back', declared);
  const failure = async () => (await node.status()).contactFailure;
  const answered = () => eventually('the server answers', async () => !(await failure()));
  const jump = (by: string) => host.must(['date', '-s', by]);
  await server.publish(stack);
  await node.install(interval);
  await node.enroll(server);
  await repaired();
  await answered();

  for (const [by, back] of [
    ['+2 hours', '-2 hours'],
    ['-2 hours', '+2 hours'],
  ] as const)
    await t.test(`two hours wrong: ${by}`, async (t) => {
      const [before] = await server.runs(host.name);
      await jump(by);
      await host.must(['rm', file]);
      await repaired();
      const refusal = await eventually('it is refused', failure);
      t.match(refusal, 'REQUEST_CLOCK_SKEW', 'and the machine can tell why');
      await jump(back);
      await answered();
      const repairs = await eventually('the repair is told', async () => {
        const runs = await server.runs(host.name);
        const news = runs.filter((run) => run.reportSequence > (before?.reportSequence ?? 0));
        const told = news.filter((run) => run.created > 0);
        return told.length > 0 && told;
      });
      t.equal(repairs.length, 1, 'once');
      t.ok(repairs[0]?.offline);
    });

  await t.test('past the age of the policy: it stops, says so, and goes on', async (t) => {
    await jump('+3 days');
    const log = 'journalctl -u vigo --no-pager -o cat | grep -m1 PROTOCOL_BUNDLE_EXPIRED';
    await eventually('it says so', async () => (await host.run(['sh', '-c', log])).exitCode === 0);
    await host.must(['rm', file]);
    await pause(watchedMs);
    t.equal(await declared(), false, 'what is past its age is not enforced');
    await jump('-3 days');
    await repaired();
    await answered();
  });

  const denied = 'journalctl -b --no-pager | grep "avc: *denied" | grep -E "vigo|node" || true';
  t.equal(await host.must(['sh', '-c', denied]), '', 'SELinux refused the service nothing');
  await host.must(['systemctl', 'stop', 'vigo']);
}
