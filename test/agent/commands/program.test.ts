import { readFileSync } from 'node:fs';
import t from 'tap';
import type { ProgramParts } from '../../../agent/commands/context.ts';
import { vigo } from '../../../agent/commands/program.ts';
import type { Engine } from '../../../agent/converge/engine.ts';
import { type PassResult, passState, summarize } from '../../../agent/converge/result.ts';
import type { Action } from '../../../agent/executors/contract.ts';
import { loadIdentity, saveIdentity } from '../../../agent/identity/identity.ts';
import { nodeParts } from '../../../agent/node-parts.ts';
import { agentVersion } from '../../../agent/version.ts';
import { policyDocument } from '../support/agent-fixture.ts';
import {
  bundleSigner,
  envoySigner,
  FakeServerChannel,
  fakeEnvoyId,
  signedPolicy,
} from '../support/fake-server-channel.ts';
import { MemoryFiles } from '../support/memory-files.ts';

function passOf(action: Action, dryRun: boolean): PassResult {
  const resources = [
    {
      id: 'main/it',
      type: 'file',
      action,
      reason: 'differs',
      diff: '-a\n+b\n',
      errorCode: '' as const,
      durationMs: 1,
    },
  ];
  const summary = summarize(resources);
  const state = passState(summary);
  return {
    dryRun,
    state,
    summary,
    resources,
    pendingTriggers: [],
    aborted: false,
    startedAtMs: 1_790_000_000_000,
    durationMs: 2,
  };
}

/** The program on files in memory, with a fake server and an engine whose outcome is given. */
class Machine {
  readonly files = new Map<string, MemoryFiles>();
  readonly server = new FakeServerChannel(() => Date.now());
  action: Action = 'none';
  output = '';
  errors = '';

  open(directory: string): MemoryFiles {
    const files = this.files.get(directory) ?? new MemoryFiles();
    this.files.set(directory, files);
    return files;
  }

  async register(): Promise<void> {
    await saveIdentity(this.open('/c/identity'), {
      envoyId: fakeEnvoyId,
      server: 'localhost:1530',
      bundlePublicKey: bundleSigner.publicKey,
      intervalMs: 1000,
      registeredAtMs: 1,
      keyPem: 'key',
      certificatePem: 'certificate',
      authorityPem: 'authority',
    });
  }

  async run(...argv: string[]): Promise<number> {
    this.output = '';
    this.errors = '';
    const engine: Engine = {
      pass: async ({ dryRun }) => passOf(this.action, dryRun ?? false),
    };
    const parts: ProgramParts = {
      ...nodeParts,
      openFiles: (directory) => this.open(directory),
      identityCrypto: { ...nodeParts.identityCrypto, signer: () => envoySigner },
      openMutual: () => this.server,
      engine: () => engine,
      openTraits: () => ({
        names: ['os', 'memory'],
        collect: async () => ({ traits: { os: { family: 'debian' } }, errors: {} }),
        isNews: () => false,
      }),
      lock: async () => () => undefined,
      askRunning: async () => undefined,
    };
    const io = {
      argv: ['--config-dir', '/c', '--state-dir', '/s', ...argv],
      terminal: false,
      write: (text: string) => {
        this.output += text;
      },
      writeError: (text: string) => {
        this.errors += text;
      },
      absolute: (path: string) => path,
      readText: (path: string) => readFileSync(path, 'utf8'),
      signal: new AbortController().signal,
    };
    const code = await vigo(io, parts);
    this.server.away = false;
    return code;
  }
}

t.test('exit codes tell a script what happened', async (t) => {
  const machine = new Machine();
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

t.test('status shows what is enforced without asking anybody', async (t) => {
  const machine = new Machine();
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
    policy: { version: 3, expired: false, resources: 1 },
    lastRun: { state: 'changed', resources: [{ id: 'main/it', action: 'updated' }] },
    pendingResults: 1,
  });
  await machine.run('status');
  t.match(machine.output, /policy +version 3, 1 resources, valid until 2096/);
  t.match(machine.output, /updated +main\/it {2}differs/);
  t.same(machine.server.checkIns, []);
  machine.open('/s').content.get('bundle')![40]! ^= 1;
  t.equal(await machine.run('status'), 4);
  t.match(machine.output, /AGENT_CACHE_ALTERED/);
});

t.test('a machine that became another envoy forgets what the former one held', async (t) => {
  const machine = new Machine();
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
  const machine = new Machine();
  t.equal(await machine.run('traits', 'os.family'), 0);
  t.equal(machine.output, '"debian"\n');
  t.equal(await machine.run('traits', 'oss'), 64);
  t.match(machine.errors, /did you mean os\?/);
  t.equal(await machine.run('traits', 'os.nothing'), 64);
});

t.test('errors for programs are JSON; the version is that of the package', async (t) => {
  const machine = new Machine();
  await machine.run('run', '--json');
  t.match(JSON.parse(machine.errors), { error: { code: 'AGENT_NOT_REGISTERED' } });
  await machine.run('version');
  const url = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(url, 'utf8')) as { version: string };
  t.same([machine.output, agentVersion], [`${version}\n`, version]);
});
