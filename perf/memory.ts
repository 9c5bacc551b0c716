import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createEngine } from '../agent/converge/engine.ts';
import { resourceTypes } from '../agent/executors/registry.ts';
import { createNodePlatform } from '../agent/platform/node-platform.ts';
import { createTraitCollection } from '../agent/traits/collect.ts';
import { describeHost, filesHost } from './mixed/description.ts';

/**
 * What do many passes leave in memory? With V8 as it is, as the agent sets it, and with one arena of
 * the C library as well, each in a process of its own: memory that no file backs, megabytes, and CPU
 * per pass. Run: `node perf/memory.ts`; it needs a machine whose /proc tells.
 */
const passTotal = 240;
const variants = ['as it is', 'collects early', 'collects early, one arena'];

async function grow(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'vigo-memory-'));
  try {
    mkdirSync(join(root, 'etc'));
    const engine = createEngine({
      platform: createNodePlatform({ root }),
      registry: resourceTypes,
    });
    const collection = createTraitCollection(createNodePlatform());
    const resources = describeHost({ ...filesHost, file: 300 }).flatMap((one) =>
      one.kind !== 'file'
        ? []
        : {
            ...{ name: one.name, type: 'file' },
            ...{ dependsOn: [], before: [], notify: [], subscribes: [] },
            parameters: { target_path: one.path, content: one.content, mode: one.mode },
          },
    );
    const modules = [{ name: 'lab', vars: {}, dependsOn: [], resources }];
    const document = { format: 1, templates: {}, modules } as const;
    const pass = async () => engine.pass({ document, traits: (await collection.collect()).traits });
    await pass();
    const before = process.cpuUsage();
    for (let count = 0; count < passTotal; count += 1) await pass();
    const { user, system } = process.cpuUsage(before);
    const status = readFileSync('/proc/self/status', 'utf8');
    const megabytes = Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1]) / 1024;
    const cpuMs = (user + system) / 1000 / passTotal;
    writeFileSync(1, `${JSON.stringify({ anonymousMb: Math.round(megabytes), cpuMs })}\n`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const variant = process.env.VIGO_MEMORY_VARIANT;
if (variant !== undefined) {
  if (variant !== variants[0]) setFlagsFromString('--optimize-for-size');
  await grow();
} else {
  for (const name of variants) {
    const arenas = name === variants[2] ? { MALLOC_ARENA_MAX: '1' } : {};
    const env = { ...process.env, ...arenas, VIGO_MEMORY_VARIANT: name };
    const argv = ['--disable-warning=ExperimentalWarning', import.meta.filename];
    const { stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    const { anonymousMb, cpuMs } = JSON.parse(stdout) as { anonymousMb: number; cpuMs: number };
    console.log(`${name.padEnd(28)} ${anonymousMb} MB  ${cpuMs.toFixed(1)} ms CPU a pass`);
  }
}
