/**
 * Dry-runs the documented examples of every resource type on a machine of which nothing can be
 * written, and prints what each of them said as JSON. Runs in a mount namespace of its own.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

/** What a resource has beside the parameters of its type. */
const common = ['name', 'type', 'when', 'depends_on', 'before', 'notify', 'subscribes', 'foreach'];

/** Every mount that can be, the root first; a pseudo file system that refuses holds no files. */
function makeReadOnly(): void {
  execFileSync('mount', ['--make-rprivate', '/']);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  for (const line of mounts.toReversed()) {
    const at = line.split(' ')[4]!.replaceAll('\\040', ' ');
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', at], { stdio: 'ignore' });
    } catch {
      if (at === '/') throw new Error('the root cannot be made read-only');
    }
  }
}

function inputOf(declared: Readonly<Record<string, unknown>>, index: number): ResourceInput {
  const named = resourceSchemas
    .get(String(declared.type))
    ?.parameters.some(({ name }) => name === 'name');
  const entries = Object.entries(declared).filter(
    ([name]) => !common.includes(name) || (name === 'name' && named),
  );
  const parameters = Object.fromEntries(entries) as ResourceInput['parameters'];
  return { name: `r${index}`, type: String(declared.type), parameters: parameters ?? {} };
}

makeReadOnly();
const platform = createNodePlatform();
let writable = true;
try {
  await platform.files.writeAtomic('/etc/vigo-probe', new Uint8Array(), {});
} catch {
  writable = false;
}
const told: Record<string, unknown[]> = {};
for (const name of resourceTypes.keys()) {
  const examples = resourceSchemas.get(name)?.examples ?? [];
  const resources = examples.flatMap((example) => example.resources).map(inputOf);
  const own = resources.filter(({ type }) => type === name);
  // Each alone, so that one that cannot be here hides no other.
  told[name] = [];
  for (const resource of own) {
    const engine = createEngine({ platform, registry: resourceTypes });
    const document = bundle([module('m', [resource])]);
    const traits = { os: { family: 'debian' } };
    const { resources: outcomes } = await engine.pass({ document, traits, dryRun: true });
    told[name].push(...outcomes);
  }
}
process.stdout.write(JSON.stringify({ writable, told }));
