import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Diagnostic } from '../../actors/publish/messages.ts';
import { filesStack, publish, stackOf, TestAgent, writeStack } from './support/agent-process.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(120_000);

interface Problem {
  readonly code: string;
  readonly details: { readonly diagnostics: readonly Diagnostic[] };
}

const good = filesStack({ '/etc/motd': 'good\n' });

/** What is wrong with the stack, its files, and every diagnostic as one line. */
const mistakes: [string, Record<string, string>, string[]][] = [
  [
    'a syntax error',
    { ...good, 'modules/m.vgo': 'name: m\nresources: [\n' },
    ['modules/m.vgo:3:1 PUBLISH_YAML_SYNTAX Flow sequence in block collection must be'],
  ],
  [
    'an unknown type',
    stackOf('  - {name: x, type: fiel, target_path: /x}\n'),
    ['modules/m.vgo:3:21 PUBLISH_UNKNOWN_TYPE unknown resource type "fiel" (file)'],
  ],
  [
    'a missing and an unknown parameter',
    stackOf('  - {name: x, type: file, target_pth: /x}\n'),
    [
      'modules/m.vgo:3:12 PUBLISH_MISSING_PARAMETER file "x" needs target_path',
      'modules/m.vgo:3:27 PUBLISH_UNKNOWN_PARAMETER unknown parameter of file "target_pth" (target_path)',
    ],
  ],
  [
    'references to nothing',
    {
      ...stackOf('  - {name: one, type: file, target_path: /x, depends_on: oen}\n'),
      'envoys/all.vgo': '- match: "*"\n  modules: [m, n]\n',
    },
    [
      'envoys/all.vgo:2:16 PUBLISH_UNKNOWN_REFERENCE unknown module "n" (m)',
      'modules/m.vgo:3:58 PUBLISH_UNKNOWN_REFERENCE module "m" has no resource "oen", and no module is called so (one)',
    ],
  ],
  [
    'a cycle',
    stackOf(
      '  - {name: a, type: file, target_path: /a, depends_on: b}\n' +
        '  - {name: b, type: file, target_path: /b, depends_on: a}\n',
    ),
    ['modules/m.vgo:3:12 PUBLISH_CYCLE resources wait for each other: a -> b -> a'],
  ],
];

function lineOf({ file, line, column, code, message, suggestion }: Diagnostic): string {
  const hint = suggestion === undefined ? '' : ` (${suggestion})`;
  return `${file}:${line}:${column} ${code} ${message}${hint}`;
}

async function refusedPublish(t: Test, server: TestServer): Promise<string[]> {
  const answer = await rest<Problem>(server, 'POST', '/api/v1/config/publish', {});
  t.equal(answer.status, 422);
  t.equal(answer.body.code, 'PUBLISH_INVALID');
  return answer.body.details.diagnostics.map(lineOf);
}

t.test('a stack with a mistake changes nothing on any machine', async (t) => {
  const server = await TestServer.make(t, { interval: '1s', shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  const version = await publish(server, good);
  await agent.enroll(server);
  agent.start();
  t.ok(await eventually(() => agent.read('/etc/motd') === 'good\n'));
  for (const [what, files, expected] of mistakes) {
    writeStack(server, files);
    const found = await refusedPublish(t, server);
    t.equal(found.length, expected.length, what);
    expected.forEach((line, index) => void t.ok(found[index]?.startsWith(line), line));
    t.ok(await agent.repairs('/etc/motd'), 'the previous policy stays in force');
  }
  t.equal((await agent.status()).policy?.version, version);
  const history = await rest<{ items: unknown[] }>(server, 'GET', '/api/v1/config/history');
  t.equal(history.body.items.length, 1, 'no version was made');
  const database = new TestDatabase(server.home.layout.database);
  const refusals = () => database.auditTypes().filter((type) => type === 'policy.refused').length;
  t.ok(await eventually(() => refusals() === mistakes.length), 'each refusal is audited');
  t.equal(await publish(server, filesStack({ '/etc/motd': 'mended\n' })), version + 1);
  t.ok(await eventually(() => agent.read('/etc/motd') === 'mended\n'), 'a mended one is taken');
});

t.test('files that are no text at all are named, not followed', async (t) => {
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const { stacksDirectory } = server.home.layout;
  for (const [path, bytes] of [
    ['modules/a.vgo', Buffer.from([0xff, 0xfe, 0, 1, 2])],
    ['modules/b.vgo', Buffer.from(`x: &a [1]\ny: ${'[*a,'.repeat(5000)}`)],
    ['modules/c.vgo', Buffer.alloc(3_000_000, 'a')],
    ['modules/d.vgo', Buffer.from('['.repeat(20_000))],
  ] as const) {
    mkdirSync(dirname(join(stacksDirectory, path)), { recursive: true });
    writeFileSync(join(stacksDirectory, path), bytes);
  }
  const found = await refusedPublish(t, server);
  for (const name of ['a', 'b', 'c', 'd'])
    t.ok(
      found.some((line) => line.startsWith(`modules/${name}.vgo:`)),
      `${name} is named`,
    );
  t.equal((await rest(server, 'GET', '/api/v1/status')).status, 200, 'the server goes on');
});
