import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { motdBanner, profileBanner } from '../../../agent/install/login-banner.ts';
import { saveUpdateMemory, type UpdateState } from '../../../agent/update/update-state.ts';
import { bundle, module } from '../../support/resource-bundle.ts';
import { policyDocument } from '../support/agent-fixture.ts';
import { CommandMachine, outcomeOf } from '../support/command-machine.ts';
import { signedPolicy } from '../support/fake-server-channel.ts';

const page = readFileSync(new URL('../../../docs/status.md', import.meta.url), 'utf8');

/** A machine whose web server's configuration was repaired, and whose log directory is in trouble. */
async function webMachine(): Promise<CommandMachine> {
  const machine = new CommandMachine();
  await machine.register();
  const document = bundle([
    module(
      'web',
      [
        {
          name: 'nginx.conf',
          type: 'file',
          when: "traits.os.family == 'debian' && vars.port > 1024",
          notify: ['nginx'],
          parameters: {
            target_path: '/etc/nginx/nginx.conf',
            content:
              'listen {{ .Vars.port }};\nname {{ .Traits.os.distro }};\nkey secret:web/key\n',
          },
        },
        { name: 'logs', type: 'directory', parameters: { target_path: '/var/log/web' } },
        { name: 'nginx', type: 'service', dependsOn: ['logs'], parameters: { service: 'nginx' } },
      ],
      { vars: { port: 8080, unused: 1 } },
    ),
  ]);
  machine.server.policy = signedPolicy(7, document, { expiresAtMs: 4_000_000_000_000 });
  machine.outcomes = [
    outcomeOf('web/nginx.conf', 'updated', { diff: '-listen 80;\n+listen 8080;\n' }),
    outcomeOf('web/logs', 'failed', {
      type: 'directory',
      errorCode: 'AGENT_DISK_FULL',
      reason: 'no\u001b[2J space',
    }),
    outcomeOf('web/nginx', 'skipped', { type: 'service', errorCode: 'AGENT_DEPENDENCY_FAILED' }),
  ];
  await machine.run('run');
  machine.nowMs += 60_000;
  const process = new TextEncoder().encode('Name:\tvigo\nVmRSS:\t   49152 kB\n');
  machine.open(`/proc/${live.pid}`).content.set('status', process);
  return machine;
}

const live = {
  pid: process.pid,
  facts: {
    version: '0.1.0',
    envoyId: '07070707-0707-0707-0707-070707070707',
    server: 'localhost:1530',
    uptimeMs: 7_200_000,
    phase: 'waiting',
    intervalMs: 15_000,
    nextPassInMs: 4000,
    nextCheckInInMs: 4000,
    policyVersion: 7,
    policyExpiresAtMs: 0,
    lastContactMs: 1_790_000_050_000,
    pendingResults: 1,
    lastRun: {
      runId: 'r',
      startedAtMs: 1_790_000_050_000,
      durationMs: 3,
      state: 'degraded',
      dryRun: false,
      offline: false,
      policyVersion: 7,
      summary: {
        ...{ total: 3, unchanged: 1, created: 0, updated: 0, deleted: 0 },
        ...{ skipped: 1, blocked: 0, failed: 1 },
      },
      resources: undefined,
    },
    contactFailure: undefined,
  },
} as const;

t.test('status shows what is enforced without asking anybody', async (t) => {
  const machine = new CommandMachine();
  t.equal(await machine.run('status'), 4);
  await machine.register();
  machine.server.policy = signedPolicy(3, policyDocument(), { expiresAtMs: 4_000_000_000_000 });
  machine.action = 'updated';
  await machine.run('run');
  machine.server.checkIns.length = 0;
  t.equal(await machine.run('status', '--json'), 0);
  t.match(JSON.parse(machine.output), {
    envoyId: '07070707-0707-0707-0707-070707070707',
    server: 'localhost:1530',
    policy: { version: 3, expired: false, resources: 1, signer: /^sha256:[0-9a-f]{64}$/ },
    lastRun: { state: 'changed', resources: [{ id: 'main/it', action: 'updated' }] },
    pendingResults: 1,
    agent: { running: false },
  });
  await machine.run('status');
  t.match(machine.output, /policy +version 3, 1 resources, valid until 2096/);
  t.match(machine.output, /updated +main\/it {2}differs/);
  t.same(machine.server.checkIns, []);
  machine.open('/s').content.get('bundle')![40]! ^= 1;
  t.equal(await machine.run('status'), 4);
  t.match(machine.output, /AGENT_CACHE_ALTERED/);
});

t.test('trouble comes with cause, remedy and what last changed; filters narrow it', async (t) => {
  const machine = await webMachine();
  await machine.run('status');
  const { output } = machine;
  t.match(output, /failed +web\/logs {2}no \[2J space \[AGENT_DISK_FULL\]\n +remedy: /);
  t.match(
    output,
    /web\/nginx\.conf.*\n +last change 1 min ago: updated \(policy 7, \+1 -1 lines\)/,
  );
  t.match(output, /agent +[\d.]+, not running/);
  t.notMatch(output, '\u001b', 'no command reaches a terminal, no colour a pipe');
  const shown = async (...argv: string[]) => {
    await machine.run('status', ...argv);
    return ['nginx.conf', 'logs', 'nginx '].filter((name) =>
      machine.output.includes(`web/${name}`),
    );
  };
  t.same(await shown('--failed'), ['logs', 'nginx ']);
  t.same(await shown('--type', 'file'), ['nginx.conf']);
  t.same(await shown('--module', 'web', '--failed', '--type', 'directory'), ['logs']);
  t.same(await shown('--module', 'we'), []);
  machine.columns = 40;
  await machine.run('status');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
  const lines = machine.output.replace(/\u001b\[\d+m/g, '').split('\n');
  t.ok(lines.every((line) => line.length <= 40));
  t.match(machine.output, '\u001b[31mfailed');
});

t.test('a running agent tells what passes without news do not write', async (t) => {
  const machine = await webMachine();
  machine.running = live;
  await machine.run('status', '--json');
  t.match(JSON.parse(machine.output), {
    agent: { running: true, uptimeMs: 7_200_000, nextPassInMs: 4000 },
    lastContactMs: 1_790_000_050_000,
    lastRun: { startedAtMs: 1_790_000_050_000, resources: { length: 3 } },
  });
  await machine.run('status');
  t.match(machine.output, /running for 2 h, pid \d+, 48 MiB\n/);
  t.match(machine.output, /next pass +in 4 s, every 15 s/);
});

t.test('a user who may not read the state sees no resource, but the rest', async (t) => {
  const machine = await webMachine();
  for (const directory of ['/s', '/c', '/c/identity'])
    machine.open(directory).read = async () => {
      throw new AgentError('AGENT_STATE_READ', 'EACCES');
    };
  t.equal(await machine.run('status'), 1, 'nobody answers');
  machine.running = live;
  t.equal(await machine.run('status'), 0);
  t.match(machine.output, /3 resources, 0 changed, 1 skipped, 0 blocked, 1 failed/);
  t.match(machine.output, /sudo vigo status/);
  t.notMatch(machine.output, 'web/');
  t.equal(await machine.run('status', '--brief'), 0);
  t.match(machine.output, /^vigo: 1 failed, 0 blocked of 3 resources \(policy 7/);
});

t.test('the banner is one line when all is well, and names what is not', async (t) => {
  const machine = await webMachine();
  machine.running = live;
  await machine.run('status', '--brief');
  t.match(
    machine.output,
    /^vigo: 1 failed.*\nvigo: web\/logs \[AGENT_DISK_FULL\]: see vigo status\n$/,
  );
  machine.outcomes = [outcomeOf('web/nginx.conf', 'none')];
  machine.running = undefined;
  await machine.run('run');
  await machine.run('status', '--brief');
  t.match(machine.output, /^vigo: NOT RUNNING; 1 of 1 resources as declared.*\n$/);
  machine.server.away = true;
  await machine.run('run');
  await machine.run('status', '--brief');
  t.match(machine.output, /\nvigo: the server does not answer \(last .* ago; \d results wait\)/);
  const nobody = new CommandMachine();
  await nobody.run('status', '--brief');
  t.match(nobody.output, /^vigo: this machine is not registered/);
  for (const { text } of [motdBanner, profileBanner])
    t.equal(execFileSync('sh', ['-s'], { input: text }).toString(), '', 'a login never fails');
});

/** What lies on disk of an update from 0.1.0 to 0.2.0, a minute old. */
async function rememberUpdate(machine: CommandMachine, change: Partial<UpdateState>) {
  const update: UpdateState = {
    ...{ version: '0.2.0', digest: 'd1', phase: 'trial', code: '', message: '', told: true },
    ...{ trials: 1, checkIns: 3, seconds: 300, from: '0.1.0', awayToo: false, nextKeys: [] },
    atMs: machine.nowMs - 60_000,
    ...change,
  };
  await saveUpdateMemory(machine.open('/s'), { update });
}

t.test(
  'an update of the agent shows in every phase; one that was given up, at login too',
  async (t) => {
    const machine = await webMachine();
    machine.outcomes = [outcomeOf('web/nginx.conf', 'none')];
    await machine.run('run');
    const shown = async (change: Partial<UpdateState>) => {
      await rememberUpdate(machine, change);
      await machine.run('status', '--brief');
      const brief = machine.output.split('\n').slice(1).join('\n');
      await machine.run('status');
      return { brief, line: machine.output.slice(machine.output.indexOf('\nupdate ')) };
    };
    const code = 'AGENT_UPDATE_NO_CHECK_IN';
    const message = 'It said nothing';
    t.match(await shown({ phase: 'fetching', trials: 0 }), { brief: '', line: /fetching 0\.2\.0/ });
    const trial =
      /0\.2\.0 ON TRIAL, begun 1 min ago.* 3 check-ins within 300 s, or 0\.1\.0 comes back/;
    t.match(await shown({}), { brief: '', line: trial });
    t.match(await shown({ phase: 'undecided', code, message }), {
      brief: '',
      line: /back to 0\.1\.0/,
    });
    const later = { phase: 'postponed', code, message } as const;
    t.match(await shown(later), {
      brief: '',
      line: /0\.2\.0 POSTPONED 1 min ago after 1 of 3 trials/,
    });
    t.match(await shown({ phase: 'accepted' }), { brief: '', line: /0\.2\.0 accepted 1 min ago/ });
    const returned = await shown({ phase: 'returned', code, message });
    t.equal(returned.brief, `vigo: update to 0.2.0 failed [${code}]: see vigo status\n`);
    t.match(returned.line, /0\.2\.0 FAILED .*\n +It said nothing \[AGENT_UPDATE_NO_.*\n +remedy: /);
    t.match(await shown({ phase: 'failed', code, from: '' }), { line: /before its trial/ });
    await rememberUpdate(machine, { phase: 'returned', code, version: live.facts.version });
    await machine.run('status', '--brief');
    t.notMatch(machine.output, 'update', 'the version runs by now: somebody has installed it');
    machine.open('/s').content.get('update')![9]! ^= 1;
    t.equal(await machine.run('status'), 0, 'a file that rots hides the rest from nobody');
  },
);

t.test('why tells what brought a resource, what it hangs on and why it last changed', async (t) => {
  const machine = await webMachine();
  await machine.run('why', 'nginx.conf');
  const { output } = machine;
  t.match(output, /from +module web, policy version 7\n.*vigocli config trace \S+ --module web/);
  t.match(output, /conditions +of the resource: .* - holds/);
  t.match(output, /variables +port = 8080\n/);
  t.match(output, /traits +os\.distro = debian\n +os\.family = debian/);
  t.match(output, /triggers +web\/nginx\n/);
  t.match(output, /last change .*by policy version 7, in its first pass/);
  t.match(output, /-listen 80;\n +\+listen 8080;/);
  t.match(output, /key secret:web\/key/, 'a secret is a reference');
  machine.outcomes = [outcomeOf('web/nginx.conf', 'updated', { diff: '-x\n+y\n' })];
  await machine.run('run', '--offline');
  await machine.run('why', 'web/nginx.conf');
  t.match(machine.output, /drift; something else had changed it \(policy version 7\)/);
  t.match(machine.output, /pass \S+, without the server/);
  t.match(machine.output, /history, newest first:\n.*drift\)\n.*new policy\)\n$/);
  await machine.run('why', 'logs');
  t.match(machine.output, /needed by +web\/nginx/);
  t.equal(await machine.run('why', 'nginx.cnof'), 64);
  t.match(machine.errors, /did you mean nginx\.conf\?/);
  t.equal(await machine.run('why'), 64);
  t.equal(await machine.run('why', 'logs', '--limit', '0'), 64);
  const fresh = new CommandMachine();
  await fresh.register();
  t.equal(await fresh.run('why', 'x'), 4);
  t.match(fresh.errors, /AGENT_NO_POLICY/);
});

/** Every path of a JSON value, list positions as []. */
function paths(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => paths(item, `${at}[]`));
  if (value === null || typeof value !== 'object') return [at];
  return Object.entries(value).flatMap(([name, inner]) =>
    paths(inner, at === '' ? name : `${at}.${name}`),
  );
}

/** Names in the first column of the page's field table; ".x" goes on from the one before it. */
function documentedFields(): Set<string> {
  const section = page.slice(page.indexOf('### Fields of'), page.indexOf('## vigo why'));
  const names = new Set<string>();
  for (const line of section.split('\n').filter((one) => one.startsWith('| `'))) {
    let parent = '';
    for (const [, name] of line.split(' | ')[0]!.matchAll(/`([^`]+)`/g)) {
      const whole = name!.startsWith('.') ? `${parent}${name}` : name!;
      parent = whole.slice(0, whole.lastIndexOf('.'));
      names.add(whole);
    }
  }
  return names;
}

t.test('docs/status.md: its commands run, and its fields are those of --json', async (t: Test) => {
  const machine = await webMachine();
  const script = /```sh\n([\s\S]*?)```/.exec(page)![1]!.trimEnd();
  for (const line of script.split('\n')) {
    const [, ...argv] = line.split(' ');
    t.equal(await machine.run(...argv), 0, `${line}: ${machine.errors}`);
    t.ok(machine.output.length > 0, line);
  }
  const documented = documentedFields();
  const seen = new Set<string>();
  const note = (output: string) => {
    for (const path of paths(JSON.parse(output))) seen.add(path);
  };
  machine.running = live;
  await machine.run('status', '--json');
  note(machine.output);
  await rememberUpdate(machine, { phase: 'returned', code: 'AGENT_UPDATE_ENDED' });
  await machine.run('status', '--json');
  note(machine.output);
  await rememberUpdate(machine, {});
  machine.running = undefined;
  machine.server.away = true;
  await machine.run('run');
  await machine.run('status', '--json');
  note(machine.output);
  const undocumented = [...seen].filter((path) => !documented.has(path));
  t.same(undocumented, []);
  const rare =
    /^(identityProblem|policyProblem|machine\.(hostname|kernel|processors|memoryBytes)|auditLog\..*)$/;
  const missing = [...documented].filter((path) => !seen.has(path) && !rare.test(path));
  t.same(missing, []);
  await machine.run('history', '--json');
  const [entry] = JSON.parse(machine.output) as object[];
  for (const name of Object.keys(entry!)) t.match(page, `\`${name}\``, name);
});
