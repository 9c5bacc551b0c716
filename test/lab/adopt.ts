import type { Test } from 'tap';
import type { FidelityView, PlanView } from '../../actors/plan/view.ts';
import { type AgentNode, agentProgram } from './agent-node.ts';
import { eventually, type LabServer } from './lab-server.ts';

/** What somebody did by hand, of every kind that an import takes. */
const byHand = `
groupadd web
useradd --create-home --groups web --shell /bin/bash --comment 'Ada L' ada
install -d -m 700 -o ada -g ada /home/ada/.ssh
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4Zt3kqHqkZ9mB6xv5Vd8nQwzq2b1uQxJ0mZb0aVd1a ada' \
  > /home/ada/.ssh/authorized_keys
chown ada:ada /home/ada/.ssh/authorized_keys; chmod 600 /home/ada/.ssh/authorized_keys
printf '# by hand\\n0 3 * * * root true # {{ 50%% }}\\n' > /etc/cron.d/backup
echo '192.0.2.7 db.example.org db' >> /etc/hosts
echo 'net.ipv4.tcp_syncookies = 1' > /etc/sysctl.d/10-own.conf
install -d -m 750 /etc/web /srv/scratch
printf 'key secret:db/password\\nserver {{ .Name }};\\n' > /etc/web/site.conf
ln -s site.conf /etc/web/enabled
echo 'tmpfs /srv/scratch tmpfs size=1m 0 0' >> /etc/fstab
mount /srv/scratch
`;
const selectors = [
  ...['package', 'service', 'user', 'group', 'cron', 'host', 'sysctl', 'mount'],
  ...['file=/etc/web/', 'file=/etc/motd'],
];

/**
 * What a machine has comes back as policy that changes nothing on it: written by its own agent, planned
 * there, published, enforced.
 */
export async function adopt(t: Test, server: LabServer, node: AgentNode): Promise<void> {
  const { name } = node.host;
  await node.sh(byHand);
  const words = [...agentProgram, 'import', '--module', 'imported', ...selectors];
  const { exitCode, stdout, stderr } = await node.host.run(words);
  t.equal(exitCode, 0, `nothing is left out: ${stderr}`);
  for (const type of ['package', 'service', 'user', 'group', 'file', 'host', 'sysctl', 'mount'])
    t.match(stdout, new RegExp(`^ +type: ${type}$`, 'm'), `${type} is imported`);
  server.write({
    'modules/imported.vgo': stdout,
    'site.vgo': `envoys:\n  - match: ${name}\n    modules: imported\n`,
  });
  const planned = await server.run('--json', 'config', 'plan', '--live', '--all');
  t.equal(planned.exitCode, 0, `nothing would change: ${planned.stdout}${planned.stderr}`);
  const plan = JSON.parse(planned.stdout) as PlanView;
  t.match(plan.live, { asked: 1, answered: 1, resources: [] });
  await server.cli('config', 'publish', '-m', 'as it is', '--plan', plan.id);
  const fidelity = await eventually('the imported module is enforced', async () => {
    const view = await server.json<FidelityView>('config', 'fidelity', '--plan', plan.id);
    return view.envoys.compared === 1 && view;
  });
  t.same(fidelity.misses, [], 'and nothing did');
  const [first] = await server.runs(name);
  t.match(await server.show(first!), { results: [] });
}
