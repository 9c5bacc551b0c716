import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { PublishStatus } from '../../actors/publish/messages.ts';
import type { RolloutView } from '../../actors/rollout/messages.ts';
import type { AuditView } from '../../admin/api/backend.ts';
import { requires } from '../support/requires.ts';
import { AgentNode } from './agent-node.ts';
import { type Lab, startLab } from './lab.ts';
import { eventually, LabServer } from './lab-server.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const hostCount = 50;
/** Every third host still has the program that does not know the new setting. */
const outdated = (index: number) => index % 3 === 0;
const startsAtOnce = 4;
const intervalMs = 5_000;

t.setTimeout(600_000);

/** A program's configuration, which the program itself checks before it is written. */
const stack = (setting: string) => ({
  'modules/app.vgo': `name: app
resources:
  - name: Configuration
    type: file
    target_path: /etc/app.conf
    content: |
      ${setting}
    validate: /usr/local/bin/app-check %
`,
  'site.vgo': 'envoys:\n  - match: "node-*"\n    modules: [app]\n',
});
const checker = (known: string) => `#!/bin/sh
! grep -qv '^${known}=' "$1" || { echo "unknown setting in $1" >&2; exit 1; }
`;

t.test('a publish that breaks a third of fifty hosts', { skip }, async (t) => {
  let lab: Lab;
  let server: LabServer;
  let nodes: readonly AgentNode[] = [];

  t.before(async () => {
    lab = await startLab({ hosts: hostCount });
    server = await LabServer.start(lab, `${intervalMs}ms`);
    await server.publish(stack('workers=4'));
    nodes = await inTurns(hostCount, startsAtOnce, async (index) => {
      const node = new AgentNode(await lab.host(`node-${String(index).padStart(2, '0')}`));
      const program = join(node.host.root, 'usr/local/bin/app-check');
      mkdirSync(dirname(program), { recursive: true });
      writeFileSync(program, checker(outdated(index) ? 'workers' : '\\(workers\\|threads\\)'));
      chmodSync(program, 0o755);
      await node.install(`${intervalMs}ms`);
      await node.enroll(server);
      return node;
    });
  });
  t.teardown(async () => {
    await server?.stop();
    await lab?.stop();
  });

  /** What each host's file says. */
  const settings = () =>
    Promise.all(nodes.map(async ({ host }) => (await host.run(['cat', '/etc/app.conf'])).stdout));
  const all = async (text: string) => (await settings()).every((one) => one === text);

  t.test('all fifty converge on the first version', async (t) => {
    await eventually('converged', () => all('workers=4\n'), 120_000);
    t.equal((await settings()).length, hostCount);
  });

  t.test('it is stopped and rolled back by itself, and everybody is well again', async (t) => {
    const startedMs = Date.now();
    const words = ['--observe', '60s', '--threshold', '10%', '--stack', server.stack()];
    server.write(stack('threads=4'));
    await server.json('config', 'publish', '-m', 'threads instead of workers', ...words);
    const ended = await eventually('rolled back', async () => {
      const { rollout } = await server.get<{ rollout: RolloutView }>('config/rollout');
      return rollout.status === 'rolled-back' && rollout;
    });
    const rolledBackMs = (ended.endedAtMs ?? 0) - startedMs;
    await eventually('the old setting is back', () => all('workers=4\n'));
    t.comment(
      `stopped ${(rolledBackMs / intervalMs).toFixed(1)} intervals after the publish, ` +
        `whole after ${((Date.now() - startedMs) / intervalMs).toFixed(1)}`,
    );
    t.match(ended, { version: 2, lastGoodVersion: 1 });
    t.match(ended.reason, /\d/, `the reason names figures: ${ended.reason}`);
    const status = await server.get<PublishStatus>('config/status');
    t.match(status, { version: 3, origin: { kind: 'automatic-rollback' } }, 'a new version');
  });

  t.test('the audit log tells the story', async (t) => {
    const { items } = await server.get<{ items: AuditView[] }>('audit?newest=true&limit=200');
    const told = items
      .filter(({ type }) => /^(policy\.published|rollout\.)/.test(type))
      .map(({ type, details }) => ({ type, details }));
    t.comment(told.map(({ type, details }) => `${type} ${JSON.stringify(details)}`).join('\n'));
    const types = told.map(({ type }) => type);
    t.same(
      types.filter((type) => type !== 'rollout.stage_started'),
      [
        'policy.published',
        'policy.published',
        'rollout.started',
        'rollout.stopped',
        'rollout.rolled_back',
      ],
    );
    t.ok(
      items.some(({ type }) => type === 'policy.rolled_back'),
      'and that the stack of an old version is a new one',
    );
  });
});

/** Runs `make` for each index, at most `atOnce` at a time. */
async function inTurns<T>(
  count: number,
  atOnce: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = new Array(count);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) made[index] = await make(index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return made;
}
