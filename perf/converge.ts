import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createEngine } from '../agent/converge/engine.ts';
import { resourceTypes } from '../agent/executors/registry.ts';
import { createNodePlatform } from '../agent/platform/node-platform.ts';
import type { BundleDocument, BundleResource } from '../agent/protocol/bundle.ts';

/**
 * What does a pass cost that finds nothing to do? 100 declared files, beside reading and hashing the
 * same 100 files and nothing else, in the same run. Milliseconds, median and the best of the passes.
 * Run: `node perf/converge.ts` (`--json` for programs).
 */
const fileTotal = 100;
const fileBytes = 2048;
const passTotal = 200;
const warmUpTotal = 50;

interface Figure {
  readonly medianMs: number;
  readonly bestMs: number;
}

function resource(index: number, extra: Readonly<Record<string, string>>): BundleResource {
  return {
    name: `file-${index}`,
    type: 'file',
    dependsOn: index > 0 && index % 10 === 0 ? [`file-${index - 1}`] : [],
    before: [],
    notify: [],
    subscribes: [],
    ...(extra.when === undefined ? {} : { when: extra.when }),
    parameters: {
      target_path: `/etc/managed/part-${index % 10}/file-${index}`,
      content: `${extra.prefix ?? ''}${'x'.repeat(fileBytes - 1)}\n`,
      mode: '0644',
      ...(extra.owner === undefined ? {} : { owner: extra.owner, group: extra.owner }),
    },
  };
}

function bundle(extra: Readonly<Record<string, string>>): BundleDocument {
  const resources = Array.from({ length: fileTotal }, (_, index) => resource(index, extra));
  const vars = { role: 'web' };
  return {
    format: 1,
    modules: [{ name: 'managed', vars, dependsOn: [], resources }],
    templates: {},
  };
}

async function measure(work: () => unknown): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < warmUpTotal + passTotal; round += 1) {
    const start = performance.now();
    await work();
    if (round >= warmUpTotal) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return { medianMs: rounded(times[times.length >> 1]!), bestMs: rounded(times[0]!) };
}

async function measurePass(root: string, extra: Readonly<Record<string, string>>): Promise<Figure> {
  const engine = createEngine({ platform: createNodePlatform({ root }), registry: resourceTypes });
  const document = bundle(extra);
  const traits = { os: { family: 'debian' } };
  const first = await engine.pass({ document, traits });
  if (first.summary.failed + first.summary.blocked > 0) throw new Error(first.resources[0]?.reason);
  return measure(async () => {
    const result = await engine.pass({ document, traits });
    if (result.state !== 'converged') throw new Error('the pass found something to do');
  });
}

function readAndHash(root: string): void {
  for (let index = 0; index < fileTotal; index += 1) {
    const content = readFileSync(join(root, `etc/managed/part-${index % 10}/file-${index}`));
    createHash('sha256').update(content).digest();
  }
}

const root = mkdtempSync(join(tmpdir(), 'vigo-perf-'));
try {
  const ids = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), `me:x:${ids[0]}:${ids[1]}::/:/bin/sh\n`);
  writeFileSync(join(root, 'etc/group'), `me:x:${ids[1]}:\n`);
  const figures: Record<string, Figure> = {
    'pass, content and mode': await measurePass(root, {}),
    'pass, with owner and group': await measurePass(root, { owner: 'me' }),
    'pass, with condition and template': await measurePass(root, {
      owner: 'me',
      when: "os_family('debian')",
      prefix: '# {{ .Vars.role }} on {{ .Traits.os.family }}\n',
    }),
    'read and hash the files': await measure(() => readAndHash(root)),
  };
  const base = figures['read and hash the files']!.medianMs;
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ machine, fileTotal, fileBytes, figures }));
  } else {
    console.log(`${fileTotal} files of ${fileBytes} bytes; ${machine.cpu}, Node ${machine.node}`);
    for (const [name, { medianMs, bestMs }] of Object.entries(figures)) {
      const ratio = (medianMs / base).toFixed(2);
      console.log(`${name.padEnd(36)} ${medianMs} ms (best ${bestMs})  x${ratio}`);
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
