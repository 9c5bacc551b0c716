/**
 * What reading and checking a stack costs beside parsing the same text with the `yaml` library alone, in
 * one run: 1,000 modules with 10,000 resources, cold, unchanged, and after one module changed; then
 * 200 entries and 100,000 host names. `node perf/validate.ts` (`--json` for programs).
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import { Diagnostics } from '../actors/publish/stack/diagnostics.ts';
import { CompileCache, type CompiledStack, compileStack } from '../actors/publish/stack/stack.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  process.stdout.write('node perf/validate.ts [--json]\n');
  process.exit();
}

const moduleCount = 1000;
const resourcesEach = 10;
const entryCount = 200;
const modulesOfEntry = 50;
const hostCount = 100_000;

function resourceText(module: number, index: number): string {
  const kinds = [
    [
      `  - name: config-${index}`,
      '    type: file',
      `    target_path: /etc/app-${module}/${index}.conf`,
      '    mode: "0640"',
      '    content: |',
      '      listen {{ .Vars.port }};',
      '      name {{ .Vars.name }};',
      '      host {{ .Traits.network.hostname }};',
      `    notify: [restart-${index + 1}]`,
    ],
    [
      `  - name: restart-${index}`,
      '    type: service',
      `    service: app-${module}-${index}`,
      '    state: restarted',
      '    when: "changed"',
    ],
    [
      `  - name: package-${index}`,
      '    type: package',
      `    package: app-${module}-${index}`,
      `    when: "os_family('debian') && !is_container"`,
    ],
    [
      `  - name: directory-${index}`,
      '    type: directory',
      `    target_path: /srv/app-${module}/${index}`,
      `    depends_on: package-${index - 1}`,
    ],
    [
      `  - name: job-${index}`,
      '    type: exec',
      '    command: /usr/bin/make {{ .Vars.name }}',
      `    creates: /var/lib/app-${module}/${index}`,
    ],
  ];
  return `${kinds[index % kinds.length]!.join('\n')}\n`;
}

function moduleText(module: number): string {
  const after = module % 10 === 0 ? '' : `depends_on: [module-${module - 1}]\n`;
  const resources = Array.from({ length: resourcesEach }, (_, index) =>
    resourceText(module, index),
  );
  return [
    `name: module-${module}\n${after}`,
    'defaults: {owner: root, group: root}\n',
    `vars:\n  port: ${1000 + module}\n  name: app-${module}\n  users: [a, b]\n`,
    `resources:\n${resources.join('')}`,
  ].join('');
}

function stackFiles(site: string): Map<string, string> {
  const files = new Map<string, string>();
  for (let module = 0; module < moduleCount; module += 1) {
    files.set(`modules/m${String(module).padStart(5, '0')}.vgo`, moduleText(module));
  }
  return files.set('site.vgo', site);
}

const everything = Array.from({ length: moduleCount }, (_, module) => `module-${module}`);
const oneEntry = `match: "*"\nmodules: [${everything.join(', ')}]\n`;
const manyEntries = `envoys:\n${Array.from({ length: entryCount }, (_, entry) => {
  const modules = Array.from(
    { length: modulesOfEntry },
    (_, index) => `module-${((entry * 5 + index) * 10) % moduleCount}`,
  );
  return `  - match: ["web-${entry}-*", "*.site${entry}.example.com", "db${entry}-?.local"]
    vars: {site: site-${entry}}
    modules: [${modules.join(', ')}]\n`;
}).join('')}`;

const results: Record<string, number> = {};

async function measure<T>(name: string, run: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(cpu);
  results[`${name} ms`] = Math.round(performance.now() - started);
  results[`${name} cpu ms`] = Math.round((user + system) / 1000);
  return result;
}

async function compile(
  files: ReadonlyMap<string, string>,
  cache?: CompileCache,
): Promise<CompiledStack> {
  const diagnostics = new Diagnostics();
  for (const [path, text] of files) diagnostics.addFile(path, text);
  const stack = await compileStack(files, diagnostics, cache === undefined ? {} : { cache });
  if (stack.result.diagnostics.length > 0) {
    throw new Error(`the stack has mistakes: ${stack.result.diagnostics[0]!.message}`);
  }
  return stack;
}

const files = stackFiles(oneEntry);
results.bytes = [...files.values()].reduce((sum, text) => sum + text.length, 0);
const parseAll = () => {
  for (const text of files.values()) parseDocument(text);
};
const cache = new CompileCache();
// Both pay for their own first run; the library's comes first and warms its parser for ours.
await measure('yaml library', parseAll);
await measure('validate', () => compile(files, cache));
await measure('yaml library again', parseAll);
await measure('validate again, nothing kept', () => compile(files));
await measure('validate unchanged', () => compile(files, cache));
files.set('modules/m00010.vgo', moduleText(10).replace('port: 1010', 'port: 2010'));
await measure('validate one change', () => compile(files, cache));

const fleet = stackFiles(manyEntries);
const fleetCache = new CompileCache();
const before = await measure('200 entries', () => compile(fleet, fleetCache));
fleet.set('modules/m00010.vgo', moduleText(10).replace('port: 1010', 'port: 2010'));
const after = await measure('200 entries one change', () => compile(fleet, fleetCache));
results['changed documents'] = after.documents.filter(
  (document, index) => document !== before.documents[index],
).length;
const hosts = Array.from({ length: hostCount }, (_, host) =>
  host % 3 === 0 ? `web-${host % 250}-${host}` : `h${host}.site${host % 250}.example.com`,
);
await measure('match 100,000 host names', () => {
  for (const host of hosts) after.match(host);
});

results['ratio to yaml library (cpu, cold)'] =
  results['validate cpu ms']! / results['yaml library cpu ms']!;
results['ratio to yaml library (cpu, warm)'] =
  results['validate again, nothing kept cpu ms']! / results['yaml library again cpu ms']!;

if (values.json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  process.stdout.write(`${JSON.stringify({ ...machine, ...results }, null, 2)}\n`);
} else {
  for (const [name, value] of Object.entries(results)) {
    process.stdout.write(`${name.padEnd(40)}${Math.round(value * 100) / 100}\n`);
  }
}
