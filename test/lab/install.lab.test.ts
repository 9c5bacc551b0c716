import { copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { agentArtefact } from '../support/agent-artefact.ts';
import { requires } from '../support/requires.ts';
import { initHost } from './init-hosts.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { eventually, LabServer } from './lab-server.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const policy = `name: main
resources:
  - name: proof
    type: file
    target_path: /etc/vigo-proof
    content: enforced
`;
/** Names, kinds, modes, owners and targets of everything that a package or a person could have put there. */
const listing = `find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /opt \\
  -o -path /var/log/journal -o -path /var/lib/systemd -o -path /var/tmp -o -path '/var/log/dmesg*' -o -path /etc/vigo-proof \\) -prune \\
  -o -printf '%p %y %m %U:%G %l\\n' | sort`;

interface Commands {
  readonly token: string;
  readonly install: { readonly curl: string; readonly wget: string };
}

interface Status {
  readonly envoyId: string;
  readonly pendingResults: number;
}

/** A machine as its owner has it before anybody told it of Vigo. */
class Newcomer {
  readonly host: LabHost;
  readonly #server: LabServer;
  readonly #with: 'curl' | 'wget';

  constructor(host: LabHost, server: LabServer, download: 'curl' | 'wget') {
    this.host = host;
    this.#server = server;
    this.#with = download;
  }

  /** The line that an administrator gets; hosts of the lab have no sudo. */
  async line(): Promise<string> {
    const words = ['tokens', 'create', '--match', this.host.name];
    const { install } = await this.#server.json<Commands>(...words);
    return install[this.#with].replace('sudo sh', 'sh');
  }

  run(line: string): ReturnType<LabHost['run']> {
    return this.host.run(['sh', '-c', line]);
  }

  async install(line: string, options = ''): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(`${line} ${options}`);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  sh(text: string): Promise<string> {
    return this.host.must(['sh', '-ec', text]);
  }

  list(): Promise<string> {
    return this.sh(listing);
  }

  async status(): Promise<Status> {
    return JSON.parse((await this.host.run(['vigo', 'status', '--json'])).stdout) as Status;
  }

  /** The file of the policy comes back after somebody deleted it. */
  async enforced(): Promise<void> {
    await this.sh('rm -f /etc/vigo-proof');
    await eventually(`${this.host.name} enforces`, async () => {
      const { stdout } = await this.host.run(['cat', '/etc/vigo-proof']);
      return stdout === 'enforced';
    });
  }

  async agentPid(): Promise<string> {
    const { stdout } = await this.host.run([
      'pgrep',
      '-f',
      '^/usr/local/lib/vigo/current/vigo daemon',
    ]);
    return stdout.trim();
  }

  /** A killed agent comes back by itself. */
  async revived(): Promise<void> {
    const before = await this.agentPid();
    await this.sh(`kill -KILL ${before}`);
    await eventually(`${this.host.name} starts the agent again`, async () => {
      const pid = await this.agentPid();
      return pid !== '' && pid !== before;
    });
  }
}

function sameFiles(t: Test, before: string, after: string): void {
  const old = new Set(before.split('\n'));
  const fresh = new Set(after.split('\n'));
  t.same(
    [...fresh].filter((line) => !old.has(line)),
    [],
    'nothing is left',
  );
  t.same(
    [...old].filter((line) => !fresh.has(line)),
    [],
    'nothing is gone',
  );
}

t.test('machines enrolled by the printed line', { skip }, async (t) => {
  const artefact = await agentArtefact();
  const lab: Lab = await startLab();
  const server = await LabServer.start(lab, '1s');
  t.teardown(async () => {
    await server.stop();
    await lab.stop();
  });
  cpSync(artefact, join(server.home, 'agents'), { recursive: true });
  const entry = 'match: ["*"]\nmodules: [main]\n';
  await server.publish({ 'modules/main.vgo': policy, 'entries/all.vgo': entry });
  const newcomer = async (host: Promise<LabHost>, download: 'curl' | 'wget') =>
    new Newcomer(await host, server, download);
  const first = await newcomer(lab.host('first'), 'curl');
  const second = newcomer(lab.host('second', initHost('openrc')), 'wget');
  const third = newcomer(lab.host('third', initHost('runit')), 'wget');
  await t.test('what is refused', async (t) => refusals(t, first, server));

  t.jobs = 3;
  t.test('systemd', async (t) => systemdHost(t, first, server));
  t.test('OpenRC', async (t) => otherHost(t, await second, '', 'reboot'));
  t.test('SysV, then runit', async (t) => {
    await otherHost(t, await third, '--init sysv', 'reboot');
    await otherHost(t, await third, '');
  });
});

async function systemdHost(t: Test, node: Newcomer, server: LabServer): Promise<void> {
  const before = await node.list();
  const line = await node.line();
  const output = await node.install(line);
  t.comment(output);
  t.match(output, /Enrolled with .* as envoy .*\nService vigo-envoy \(systemd\) runs now/);
  t.match(output, /It has checked in with the server/);
  const terms = await node.sh("vigo licenses | grep 'js is licensed'");
  t.match(terms, /^Node\.js is licensed for use/, 'its licences came with it');
  await node.enforced();
  const { envoyId } = await node.status();

  await node.host.reboot();
  await node.enforced();
  await node.revived();

  const pid = await node.agentPid();
  t.match(await node.install(line), /installed already\.\n.*no token was used/, 'run again');
  t.equal(await node.agentPid(), pid, 'and the agent was not disturbed');
  await hardening(t, node);
  await reenroll(t, node, server, envoyId);

  await node.sh(
    'vigo uninstall --keep-state; test -e /var/lib/vigo -a -e /etc/vigo-envoy/identity',
  );
  t.match(await node.install(line), /no token was used/, 'the kept identity is taken up again');
  t.equal((await node.status()).envoyId, envoyId);
  t.match(await node.sh('vigo uninstall'), `vigocli envoys revoke ${envoyId}`);
  sameFiles(t, before, await node.list());
  t.match(await node.sh('systemctl list-units --all vigo*'), /^0 loaded/m);
}

/** Each must leave the machine as it was. */
async function refusals(t: Test, node: Newcomer, server: LabServer): Promise<void> {
  const before = await node.list();
  const line = await node.line();
  const refused = async (changed: string, exitCode: number, message: RegExp) => {
    const outcome = await node.run(changed);
    t.match(outcome, { exitCode, stderr: message });
    if (outcome.exitCode !== exitCode) t.comment(outcome.stdout, outcome.stderr);
  };
  await refused(line.replace('sh -s', 'setpriv --reuid 65534 sh -s'), 4, /only root can install/);
  await refused(line.replace(/(vigo-token-[^.]*)\.[^.]*/, '$1.wrong'), 4, /ENROLLMENT_TOKEN/);
  await refused(line.replace(/sha256\/\/.{9}/, 'sha256//AAAAAAAAA'), 0, /pinned public key/);
  const small = 'mount -t tmpfs -o size=99m none /usr/local/lib; exec sh -s -- "$@"';
  const inSmall = line.replace('sh -s --', `unshare -m sh -c '${small}' -`);
  await refused(inSmall, 1, /MB are needed below .* and 9\d MB are free/);
  const agents = join(server.home, 'agents');
  const file = join(agents, readdirSync(agents).find((name) => name.endsWith('.gz')) ?? '');
  copyFileSync(file, `${file}.kept`);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
  await refused(line, 4, /what arrived is not the program/);
  copyFileSync(`${file}.kept`, file);
  sameFiles(t, before, await node.list());
}

async function hardening(t: Test, node: Newcomer): Promise<void> {
  const verified = await node.host.run(['systemd-analyze', 'verify', 'vigo-envoy.service']);
  t.same(verified, { exitCode: 0, stdout: '', stderr: '' }, 'systemd finds no fault in the unit');
  const score = await node.host.run(['systemd-analyze', 'security', '--no-pager', 'vigo-envoy']);
  t.comment(score.stdout.split('\n').filter(Boolean).at(-1));
  const rss = await node.sh(`grep VmRSS /proc/${await node.agentPid()}/status`);
  t.comment(`the agent between two passes: ${rss}`);
}

/** With results that the server does not have yet. */
async function reenroll(
  t: Test,
  node: Newcomer,
  server: LabServer,
  envoyId: string,
): Promise<void> {
  await node.sh('systemctl stop vigo-envoy');
  await node.host.link('down');
  await node.sh('rm -f /etc/vigo-proof; vigo run --offline');
  await node.host.link('up');
  t.ok((await node.status()).pendingResults > 0, 'a result waits');
  const runs = (await server.runs(node.host.name)).length;
  t.match(await node.install(await node.line(), '--reenroll'), `as envoy ${envoyId}`);
  const arrived = async () => (await server.runs(node.host.name)).length > runs;
  await eventually('the result arrives', arrived);
  await eventually('nothing waits', async () => (await node.status()).pendingResults === 0);
  t.same(
    (await server.runs(node.host.name)).filter(({ state }) => state === 'failed'),
    [],
  );
}

async function otherHost(
  t: Test,
  node: Newcomer,
  options: string,
  reboot?: 'reboot',
): Promise<void> {
  const before = await node.list();
  const output = await node.install(await node.line(), options);
  t.match(output, /It has checked in with the server/);
  t.comment(output);
  await node.enforced();
  await node.revived();
  if (reboot !== undefined) await node.host.reboot();
  await node.enforced();
  await node.sh('vigo uninstall');
  sameFiles(t, before, await node.list());
  t.equal(await node.agentPid(), '');
}
