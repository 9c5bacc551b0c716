import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes, typeRegistry } from '../../../agent/executors/registry.ts';
import type { RunRequest } from '../../../agent/platform/platform.ts';
import type { ParameterSpec } from '../../../agent/policy/resource-schemas/parameter-spec.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { fc } from '../../support/property.ts';
import { resourceBundle } from '../../support/resource-bundle.ts';
import { arrange, type SimulatedTool, simulatedMachine } from '../../support/simulated-machine.ts';

/** Parameters whose text is a program or a whole content, as their type promises. */
const promised: Readonly<Record<string, readonly string[]>> = {
  exec: ['command', 'onlyif', 'unless', 'stdin', 'environment'],
  custom: ['script', 'params'],
  file: ['content', 'validate', 'stream_edit', 'source'],
  blockinfile: ['block_content', 'marker_begin', 'marker_end'],
  replace: ['replacement', 'on_revert'],
  process: ['restart_method'],
  service: ['restart_command', 'reload_command'],
  logrotate: ['postrotate'],
  cron: ['command'],
  systemd_dropin: ['content'],
  repository: ['repo'],
  package: ['flags'],
  pip: ['extra_args'],
  gem: ['extra_args'],
  npm: ['extra_args'],
};
const shells = ['sh', '/bin/sh', 'bash', '/bin/bash'];
/** A line and an option that nobody declared. */
const planted = 'planted-by-value';
const hostile = [
  `x\n${planted}`,
  `x\r\n${planted}\r\n`,
  `--${planted}`,
  `-${planted}`,
  `x'; ${planted} #`,
  `x" && ${planted} "`,
  `$(${planted})`,
  `\`${planted}\``,
  `x:${planted}`,
  `x ${planted}`,
  `x\u0000${planted}`,
  `x\t${planted}`,
  `/x/../../${planted}`,
  `/srv/x\n${planted}`,
  `/srv/$(${planted})`,
];

/** A machine on which every back-end that is looked for first is found, and every program succeeds. */
const programs = ['usr/bin/apt-get', 'usr/bin/systemctl', 'usr/sbin/nft', 'usr/sbin/useradd'];
const machineFiles = {
  ...Object.fromEntries(programs.map((path) => [`/${path}`, ''])),
  '/run/systemd/system/x': '',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
  '/etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=default\n',
  '/sys/fs/selinux/enforce': '1',
  '/usr/bin/gem': '',
  '/usr/bin/pip3': '',
};
const succeed: SimulatedTool = () => undefined;
const everyTool = new Proxy<Record<string, SimulatedTool>>({}, { get: () => succeed });

interface Effect {
  readonly calls: readonly RunRequest[];
  /** What was written that was not there: path and text. */
  readonly written: ReadonlyMap<string, string>;
}

async function effectOf(type: string, parameters: Record<string, PolicyValue>): Promise<Effect> {
  const root = mkdtempSync(join(tmpdir(), 'vigo-hostile-'));
  try {
    arrange(root, machineFiles);
    const before = textsBelow(root);
    const calls: RunRequest[] = [];
    const platform = simulatedMachine(everyTool, calls)(root);
    const registry = typeRegistry([resourceTypes.get(type)!]);
    const engine = createEngine({ platform, registry });
    await engine.pass({
      document: resourceBundle({ type, parameters }),
      traits: {},
      dryRun: false,
    });
    const written = [...textsBelow(root)].filter(([path, text]) => before.get(path) !== text);
    return { calls, written: new Map(written) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function textsBelow(root: string): Map<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const regular = files.filter((name) =>
    statSync(join(root, name), { throwIfNoEntry: false })?.isFile(),
  );
  return new Map(regular.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** What a value did that it must not, in words. */
function misdeeds({ calls, written }: Effect): string[] {
  const found: string[] = [];
  for (const { argv } of calls) {
    const ends = argv.indexOf('--');
    const options = ends === -1 ? argv : argv.slice(0, ends);
    if (options.some((word) => word.startsWith('-') && word.replace(/^-+/, '') === planted))
      found.push(`option: ${argv.join(' ')}`);
    if (shells.includes(argv[0]) && argv.some((word) => word.includes(planted)))
      found.push(`shell: ${argv.join(' ')}`);
  }
  for (const [path, text] of written)
    if (text.split(/[\r\n]/).some((line) => line.trim() === planted))
      found.push(`a line of its own in ${path}`);
  return found;
}

function isText({ kind }: ParameterSpec): boolean {
  return ['string', 'path', 'list', 'map'].includes(kind);
}

const slots = [...resourceSchemas.values()].flatMap((schema) =>
  schema.parameters
    .filter((spec: ParameterSpec) => isText(spec))
    .filter(({ name }) => !promised[schema.name]?.includes(name))
    .map(({ name, kind }) => ({ schema, name, kind })),
);

/** A documented example with one value replaced. */
function laced(slot: (typeof slots)[number], value: string): Record<string, PolicyValue> {
  const examples = (slot.schema.examples ?? []).flatMap(({ resources }) => resources);
  const own = examples.filter(({ type }) => type === slot.schema.name);
  const { name: _name, type: _type, when: _when, ...parameters } = own[0] ?? {};
  const given = slot.kind === 'list' ? [value] : slot.kind === 'map' ? { [value]: value } : value;
  return { ...parameters, [slot.name]: given };
}

t.test('no value becomes an option, a shell command or a line of its own', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...slots),
      fc.constantFrom(...hostile),
      async (slot, value) => {
        const found = misdeeds(await effectOf(slot.schema.name, laced(slot, value)));
        if (found.length > 0)
          throw new Error(`${slot.schema.name}.${slot.name} ${JSON.stringify(value)}: ${found}`);
      },
    ),
    { numRuns: Number(process.env.VIGO_HOSTILE_RUNS ?? 250) },
  );
  t.ok(slots.length > 100, 'of every type');
});

t.test('the judge sees what it looks for', async (t) => {
  const request = (argv: RunRequest['argv']): RunRequest => ({ argv, timeoutMs: 1 });
  const judged = (argv: RunRequest['argv'], text = '') =>
    misdeeds({ calls: [request(argv)], written: new Map([['x', text]]) }).length;
  t.equal(judged(['tool', `--${planted}`]), 1);
  t.equal(judged(['tool', '--', `--${planted}`]), 0);
  t.equal(judged(['/bin/sh', '-c', `echo $(${planted})`]), 1);
  t.equal(judged(['tool'], `a\n${planted}\nb`), 1);
  t.equal(judged(['tool'], `a ${planted}`), 0);
});
