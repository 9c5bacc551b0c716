import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadIdentity, saveIdentity } from '../../../agent/identity/identity.ts';
import { agentVersion } from '../../../agent/version.ts';
import { policyDocument } from '../support/agent-fixture.ts';
import { CommandMachine } from '../support/command-machine.ts';
import { signedPolicy } from '../support/fake-server-channel.ts';

t.test('exit codes tell a script what happened', async (t) => {
  const machine = new CommandMachine();
  t.equal(await machine.run('run'), 4, 'not registered');
  t.match(machine.errors, /AGENT_NOT_REGISTERED/);
  await machine.register();
  t.equal(await machine.run('run'), 4, 'no policy');
  machine.server.policy = signedPolicy(3, policyDocument());
  t.equal(await machine.run('run'), 0);
  machine.action = 'updated';
  t.equal(await machine.run('run'), 0);
  t.match(machine.output, /updated {2}main\/it: differs\n1 resources: 0 as declared, 1 changed/);
  t.equal(await machine.run('run', '--dry-run'), 2);
  t.match(machine.output, /would be updated main\/it: differs\n {4}-a\n {4}\+b/);
  machine.action = 'failed';
  t.equal(await machine.run('run'), 3);
  machine.action = 'none';
  machine.server.away = true;
  t.equal(await machine.run('run'), 5, 'enforced, but nobody was told');
  t.equal(await machine.run('run', '--offline'), 0);
  t.equal(await machine.run('rum'), 64);
  t.equal(await machine.run(), 64);
  t.equal(await machine.run('run', '--help'), 0);
});

t.test('a machine that became another envoy forgets what the former one held', async (t) => {
  const machine = new CommandMachine();
  await machine.register();
  machine.server.policy = signedPolicy(9, policyDocument());
  await machine.run('run');
  machine.server.policy = undefined;
  const identity = await loadIdentity(machine.open('/c/identity'));
  const other = { ...identity, envoyId: new Uint8Array(16).fill(8) };
  await saveIdentity(machine.open('/c/identity'), other);
  t.equal(await machine.run('run', '--offline'), 4, 'nothing to enforce');
  t.match(machine.errors, /no policy/);
  machine.server.policy = signedPolicy(1, policyDocument(), { envoyId: other.envoyId });
  t.equal(await machine.run('run'), 0, 'and a younger server is no rollback');
  t.equal(machine.server.reports.at(-1)?.reportSequence, 1);
});

t.test('traits are shown whole, by name or by path', async (t) => {
  const machine = new CommandMachine();
  t.equal(await machine.run('traits', 'os.family'), 0);
  t.equal(machine.output, '"debian"\n');
  t.equal(await machine.run('traits', 'oss'), 64);
  t.match(machine.errors, /did you mean os\?/);
  t.equal(await machine.run('traits', 'os.nothing'), 64);
});

t.test('errors for programs are JSON; the version is that of the package', async (t) => {
  const machine = new CommandMachine();
  await machine.run('run', '--json');
  t.match(JSON.parse(machine.errors), { error: { code: 'AGENT_NOT_REGISTERED' } });
  await machine.run('version');
  const url = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(url, 'utf8')) as { version: string };
  t.same([machine.output, agentVersion], [`${version}\n`, version]);
});
