import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { createEngine } from '../agent/converge/engine.ts';
import { resourceTypes } from '../agent/executors/registry.ts';
import { createNodePlatform } from '../agent/platform/node-platform.ts';
import type { Platform, RunRequest, RunResult } from '../agent/platform/platform.ts';
import type { BundleDocument } from '../agent/protocol/bundle.ts';

/**
 * What does it cost to look at 40 services of systemd that are as declared? As the engine does it,
 * beside one resource at a time, which is one `systemctl` per service. A double counts the calls and
 * answers for systemd, but starts the real systemctl for each, so that a call costs what it costs.
 * Run: `node perf/services.ts` (`--json` for programs).
 */
const serviceTotal = 40;
const passTotal = 15;
const warmUpTotal = 3;

/** systemd is not to be had on every machine that measures; its answers are made up. */
class CountingSystemctl {
  calls = 0;
  readonly #node = createNodePlatform();

  platform(): Platform {
    const { paths, files } = this.#node;
    return {
      ...this.#node,
      paths: { ...paths, root: '/', confined: false, declared: (real) => real, resolve },
      files: Object.assign(Object.create(files), {
        status: async (path: string) =>
          path === '/run/systemd/system' ? files.status('/') : files.status(path),
      }),
      processes: {
        run: (request) => this.#run(request),
        signal: async () => false,
      },
    };
  }

  async #run(request: RunRequest): Promise<RunResult> {
    this.calls += 1;
    const argv = ['/usr/bin/systemctl', '--version'] as const;
    const result = await this.#node.processes.run({ ...request, argv: [...argv] });
    const units = request.argv.slice(request.argv.indexOf('--') + 1);
    return { ...result, stdout: units.map(section).join('\n') };
  }
}

async function resolve(declared: string): Promise<string> {
  return declared;
}

function section(unit: string): string {
  const running = 'LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n';
  return `Id=${unit}\n${running}NeedDaemonReload=no\n`;
}

const document: BundleDocument = {
  format: 1,
  templates: {},
  modules: [
    {
      name: 'services',
      vars: {},
      dependsOn: [],
      resources: Array.from({ length: serviceTotal }, (_, index) => ({
        name: `service-${index}`,
        type: 'service',
        dependsOn: [],
        before: [],
        notify: [],
        subscribes: [],
        parameters: { service: `web-${index}`, state: 'running', enabled: true },
      })),
    },
  ],
};

interface Figure {
  readonly callsPerPass: number;
  readonly medianMs: number;
}

async function measure(limits: { readonly parallelChecks?: number }): Promise<Figure> {
  const systemctl = new CountingSystemctl();
  const engine = createEngine({ platform: systemctl.platform(), registry: resourceTypes, limits });
  const times: number[] = [];
  for (let round = 0; round < warmUpTotal + passTotal; round += 1) {
    const start = performance.now();
    const result = await engine.pass({ document, traits: {} });
    if (result.state !== 'converged') throw new Error(result.resources[0]?.reason);
    if (round >= warmUpTotal) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return {
    callsPerPass: systemctl.calls / (warmUpTotal + passTotal),
    medianMs: Math.round(times[times.length >> 1]! * 10) / 10,
  };
}

const figures = {
  'one resource at a time': await measure({ parallelChecks: 1 }),
  'as the engine looks ahead': await measure({}),
};
const reference = figures['one resource at a time'];
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ machine, serviceTotal, figures }));
} else {
  console.log(`${serviceTotal} services; ${machine.cpu}, Node ${machine.node}`);
  for (const [name, { callsPerPass, medianMs }] of Object.entries(figures)) {
    const ratio = (medianMs / reference.medianMs).toFixed(2);
    console.log(`${name.padEnd(28)} ${callsPerPass} calls  ${medianMs} ms  x${ratio}`);
  }
}
