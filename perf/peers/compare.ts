import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRepository, repositoryInHost, useRepository } from '../../test/lab/apt-repository.ts';
import { startLab } from '../../test/lab/lab.ts';
import { eventually, LabServer } from '../../test/lab/lab-server.ts';
import { type Counts, describeHost, type HostResource, ofKind } from '../mixed/description.ts';
import { describedPackages } from '../mixed/packages.ts';
import { vigoStack } from '../mixed/vigo-policy.ts';
import { agentProgram } from './agent-program.ts';
import { ansiblePlaybook } from './ansible-playbook.ts';
import { cfenginePolicy } from './cfengine-policy.ts';
import { type Cost, PeerNode, programInHost, type ResidentCost } from './peer-node.ts';
import { peerHost } from './peer-root.ts';
import { puppetManifest } from './puppet-manifest.ts';

/** What one tool costs on a host where nothing is to do; the median of the runs. */
export interface ToolResult extends Cost {
  readonly tool: string;
  readonly runs: number;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly resources: number;
  readonly tools: readonly ToolResult[];
  /** Passes in quick succession, and at the interval of a fleet. */
  readonly resident: ResidentCost;
  readonly idle: ResidentCost & { readonly intervalMs: number; readonly corePercent: number };
}

export interface CompareOptions {
  readonly scenarios: Readonly<Record<string, Counts>>;
  /** Runs of the slowest tool are fewer. */
  readonly runs: number;
  readonly idlePasses: number;
  readonly onProgress: (text: string) => void;
}

interface Tool {
  readonly name: string;
  readonly command: string;
  /** Times that it is measured, of `runs`. */
  readonly share: number;
  readonly codes: readonly number[];
}

const quickMs = 500;
const quickPasses = 40;
const warmUpPasses = 30;
const idleIntervalMs = 15_000;
const settleMs = 2000;

const tools: readonly Tool[] = [
  { name: 'cf-agent', command: 'cf-agent -Kf /root/lab.cf', share: 1, codes: [0] },
  { name: 'vigo run', command: `${programInHost} run`, share: 1, codes: [0] },
  {
    name: 'puppet apply',
    command: 'puppet apply --modulepath /usr/share/puppet/modules /root/lab.pp',
    share: 0.6,
    codes: [0],
  },
  {
    name: 'ansible-playbook -c local',
    command: 'ansible-playbook -c local -i localhost, /root/lab.yml',
    share: 0.2,
    codes: [0],
  },
];

/** Each scenario on a host of its own, every tool on the same one. */
export async function compare(options: CompareOptions): Promise<readonly ScenarioResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-peers-'));
  const described = Object.entries(options.scenarios).map(
    ([name, counts]) => [name, describeHost(counts)] as const,
  );
  const everything = described
    .map(([, resources]) => resources)
    .sort((a, b) => b.length - a.length);
  const repository = makeRepository(describedPackages(everything[0] ?? []));
  const shared = { [repositoryInHost]: repository, [join(programInHost, '..')]: directory };
  await agentProgram(join(directory, 'vigo'));
  const lab = await startLab({ shared });
  let server: LabServer | undefined;
  try {
    server = await LabServer.start(lab, '1m');
    const results: ScenarioResult[] = [];
    for (const [scenario, resources] of described) {
      options.onProgress(`${scenario}: ${resources.length} resources`);
      const host = await lab.host(scenario, peerHost());
      useRepository(host);
      const node = new PeerNode(host, lab.namespace);
      const run = new Scenario(scenario, node, resources, server, options);
      results.push(await run.measure());
      await host.down();
    }
    return results;
  } finally {
    await server?.stop();
    await lab.stop();
    rmSync(repository, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
}

class Scenario {
  readonly #name: string;
  readonly #node: PeerNode;
  readonly #resources: readonly HostResource[];
  readonly #server: LabServer;
  readonly #options: CompareOptions;

  constructor(
    name: string,
    node: PeerNode,
    resources: readonly HostResource[],
    server: LabServer,
    options: CompareOptions,
  ) {
    this.#name = name;
    this.#node = node;
    this.#resources = resources;
    this.#server = server;
    this.#options = options;
  }

  async measure(): Promise<ScenarioResult> {
    await this.#prepare();
    const resident = await this.#resident(quickMs, warmUpPasses, quickPasses);
    const idle = await this.#resident(idleIntervalMs, 2, this.#options.idlePasses);
    await this.#node.stopAgent();
    const costs = new Map<string, Cost[]>(tools.map(({ name }) => [name, []]));
    for (const tool of tools) costs.get(tool.name)!.push(await this.#proveNoOp(tool));
    // In turns, so that other load on the machine hits all of them.
    for (let round = 1; round < this.#options.runs; round += 1)
      for (const tool of tools) {
        if (round >= Math.max(1, this.#options.runs * tool.share)) continue;
        costs.get(tool.name)!.push(await this.#node.cost(tool.command, tool.codes));
      }
    for (const tool of tools) await this.#proveEffective(tool);
    const corePercent = Math.round((idle.cpuMsPerCycle / idleIntervalMs) * 100_000) / 1000;
    return {
      scenario: this.#name,
      resources: this.#resources.length,
      tools: [...costs].map(([tool, list]) => ({ tool, runs: list.length, ...medianOf(list) })),
      resident,
      idle: { ...idle, intervalMs: idleIntervalMs, corePercent },
    };
  }

  async #prepare(): Promise<void> {
    const node = this.#node;
    const packages = ofKind(this.#resources, 'package').map((one) => one.package);
    if (packages.length > 0)
      await node.sh(`apt-get -qq update; apt-get -qqy install ${packages.join(' ')} >/dev/null`);
    node.write('/root/lab.cf', cfenginePolicy(this.#resources));
    node.write('/root/lab.pp', puppetManifest(this.#resources));
    node.write('/root/lab.yml', ansiblePlaybook(this.#resources));
    await this.#server.publish(vigoStack(this.#resources));
    await node.enroll(this.#server);
    await node.cost(`${programInHost} run`);
    const broken = node.broken(this.#resources);
    if (broken.length > 0) throw new Error(`not as described: ${broken.join(', ')}`);
  }

  async #resident(intervalMs: number, warmUp: number, passes: number): Promise<ResidentCost> {
    await this.#node.startAgent(intervalMs);
    await eventually('the agent runs', async () => this.#node.view.processOf('vigo') !== undefined);
    await this.#node.resident(warmUp);
    const cost = await this.#node.resident(passes);
    this.#options.onProgress(`${this.#name}: resident, ${JSON.stringify(cost)}`);
    return cost;
  }

  /** A first run may settle what this tool alone cares about; a second one changes nothing. */
  async #proveNoOp({ name, command, codes }: Tool): Promise<Cost> {
    for (let attempt = 1; ; attempt += 1) {
      await sleep(settleMs);
      const before = new Set(await this.#node.fingerprint());
      const cost = await this.#node.cost(command, codes);
      const changed = (await this.#node.fingerprint()).filter((line) => !before.has(line));
      const what = changed.length === 0 ? 'nothing' : changed.slice(0, 5).join('; ');
      this.#options.onProgress(`${this.#name}: ${name} changes ${what}, ${JSON.stringify(cost)}`);
      if (changed.length === 0) return cost;
      if (attempt > 1) throw new Error(`${name} changes something in every run: ${what}`);
    }
  }

  /** What is broken by hand it repairs, so the run before did look. */
  async #proveEffective({ name, command }: Tool): Promise<void> {
    const broken = damages(this.#resources);
    await this.#node.sh(broken.join('\n'));
    const found = this.#node.broken(this.#resources);
    if (found.length < broken.length) throw new Error(`only ${found.join(', ')} are broken`);
    await this.#node.cost(command, [0, 2]);
    // Some repair in a second run what they found blocked in the first.
    const left = this.#node.broken(this.#resources);
    if (left.length > 0) await this.#node.cost(command, [0, 2]);
    const still = this.#node.broken(this.#resources);
    if (still.length > 0) throw new Error(`${name} does not repair ${still.join(', ')}`);
    const passes = left.length > 0 ? 'two runs' : 'one run';
    this.#options.onProgress(`${this.#name}: ${name} repairs ${found.length} things in ${passes}`);
  }
}

/** One thing of each kind that there is. */
function damages(resources: readonly HostResource[]): readonly string[] {
  const [file, edited] = ofKind(resources, 'file').slice(1);
  const [setting] = ofKind(resources, 'sysctl');
  const [group] = ofKind(resources, 'group').slice(-1);
  const [user] = ofKind(resources, 'user');
  const [line] = ofKind(resources, 'line');
  const [link] = ofKind(resources, 'link');
  const [service] = ofKind(resources, 'service');
  const [job] = ofKind(resources, 'cron');
  const [tool] = ofKind(resources, 'package').slice(-1);
  const all = [
    file && `rm ${file.path}`,
    edited && `echo mine >>${edited.path}`,
    setting && `echo 77 >/proc/sys/${setting.key.replaceAll('.', '/')}`,
    group && `groupdel ${group.group}`,
    user && `usermod -s /bin/sh ${user.user}`,
    line && `sed -i '\\|^${line.line}$|d' ${line.path}`,
    link && `rm ${link.path}`,
    service && `systemctl stop ${service.service}`,
    job && `chmod 600 /etc/cron.d/${job.job}`,
    tool && `dpkg -r ${tool.package} >/dev/null`,
  ];
  return all.filter((one): one is string => one !== undefined);
}

function medianOf(costs: readonly Cost[]): Cost {
  const median = (pick: (cost: Cost) => number) => {
    const sorted = costs.map(pick).sort((a, b) => a - b);
    return sorted[sorted.length >> 1]!;
  };
  return {
    wallSeconds: median(({ wallSeconds }) => wallSeconds),
    cpuSeconds: median(({ cpuSeconds }) => cpuSeconds),
    rssMegabytes: median(({ rssMegabytes }) => rssMegabytes),
  };
}
