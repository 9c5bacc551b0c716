import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LabHost, serverAddress } from '../../test/lab/lab.ts';
import type { LabServer } from '../../test/lab/lab-server.ts';
import { HostView } from '../chaos/host-view.ts';
import type { HostResource } from '../mixed/description.ts';

/** Where the hosts find the agent's program. */
export const programInHost = '/opt/vigo-agent/vigo';
const measureFile = '/root/measured';
const managed = [
  ...['/etc/lab', '/srv', '/home', '/etc/cron.d', '/etc/sysctl.d', '/etc/hosts', '/etc/profile'],
  ...['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/systemd/system', '/var/lib/dpkg/status'],
];

/** Of one command with all its children. */
export interface Cost {
  readonly wallSeconds: number;
  /** user + system. */
  readonly cpuSeconds: number;
  /** Resident memory of the largest of its processes. */
  readonly rssMegabytes: number;
}

/** Of the resident agent. */
export interface ResidentCost {
  readonly passes: number;
  /** Of a pass, as the agent tells it: median and longest, milliseconds. */
  readonly passMs: { readonly median: number; readonly longest: number };
  /** Of the agent and its children from check-in to check-in. */
  readonly cpuMsPerCycle: number;
  readonly rssMegabytes: number;
  /** Memory that no other process shares. */
  readonly privateMegabytes: number;
}

/** A host that every tool keeps as described, one after the other. */
export class PeerNode {
  readonly view: HostView;
  readonly #host: LabHost;

  constructor(host: LabHost, namespace: string) {
    this.#host = host;
    this.view = new HostView(host, namespace);
  }

  sh(text: string): Promise<string> {
    return this.#host.must(['sh', '-ec', text]);
  }

  write(path: string, text: string, mode = 0o600): void {
    const file = join(this.#host.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  async enroll(server: LabServer): Promise<void> {
    const words = ['tokens', 'create', '--match', this.#host.name];
    const { token } = await server.json<{ token: string }>(...words);
    this.#host.copyIn(join(server.home, 'tls/ca.cert.pem'), '/root/ca.pem');
    const where = ['--server', `${serverAddress}:${server.port}`, '--ca-file', '/root/ca.pem'];
    await this.#host.must([programInHost, 'register', ...where, '--token', token]);
  }

  /** Starts the agent as a service that tells of every pass. */
  async startAgent(intervalMs: number): Promise<void> {
    const words = `daemon --json --log-level debug --interval ${intervalMs}ms`;
    const unit = `[Service]\nExecStart=${programInHost} ${words}\nStandardOutput=truncate:/run/vigo.log
StandardError=inherit\n`;
    this.write('/run-unit/vigo.service', unit, 0o644);
    await this.sh('mv /run-unit/vigo.service /etc/systemd/system/; systemctl daemon-reload');
    await this.sh('systemctl restart vigo');
  }

  stopAgent(): Promise<string> {
    return this.sh(
      'systemctl stop vigo; rm /etc/systemd/system/vigo.service; systemctl daemon-reload',
    );
  }

  /** What the running agent uses for so many further passes. */
  async resident(passes: number): Promise<ResidentCost> {
    const pid = this.view.processOf('vigo');
    if (pid === undefined) throw new Error('the agent does not run');
    const first = await this.#passTimes();
    const before = await this.#processorMs(pid);
    for (;;) {
      const all = await this.#passTimes();
      const times = all.slice(first.length).sort((a, b) => a - b);
      if (times.length < passes) {
        await sleep(200);
        continue;
      }
      const spent = (await this.#processorMs(pid)) - before;
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const kilobytes = (name: string) =>
        Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(memory)?.[1]);
      const own = kilobytes('Private_Clean') + kilobytes('Private_Dirty');
      return {
        passes: times.length,
        passMs: { median: times[times.length >> 1]!, longest: times.at(-1)! },
        cpuMsPerCycle: round(spent / times.length),
        rssMegabytes: round(kilobytes('Rss') / 1024),
        privateMegabytes: round(own / 1024),
      };
    }
  }

  /** Runs it to its end; anything but the exit codes given throws. */
  async cost(command: string, codes: readonly number[] = [0]): Promise<Cost> {
    const time = ['/usr/bin/time', '-q', '-o', measureFile, '-f', '%e %U %S %M'];
    const argv = [...time, 'sh', '-c', command];
    const { exitCode, stdout, stderr } = await this.#host.run(argv);
    if (!codes.includes(exitCode))
      throw new Error(`${command}: exit code ${exitCode}\n${stdout}${stderr}`.slice(0, 4000));
    const text = readFileSync(join(this.#host.root, measureFile), 'utf8')
      .trim()
      .split('\n')
      .at(-1)!;
    const [wall = 0, user = 0, system = 0, kilobytes = 0] = text.split(' ').map(Number);
    return {
      wallSeconds: wall,
      cpuSeconds: round(user + system),
      rssMegabytes: round(kilobytes / 1024),
    };
  }

  /** Lines that change when anything that is managed was touched, even to the same. */
  async fingerprint(): Promise<readonly string[]> {
    const find = `find ${managed.join(' ')} -printf '%p %m %U:%G %s %C@ %l\\n' 2>/dev/null | sort`;
    const text = await this.sh(`${find}
      ls -l --full-time /run/systemd/units | grep -E 'lab-svc|cron' || :
      sysctl -a 2>/dev/null | grep -E '^net.ipv4.(tcp|conf|icmp)' || :`);
    return text.split('\n');
  }

  broken(resources: readonly HostResource[]): readonly string[] {
    return resources.filter((one) => !this.view.holds(one)).map(({ name }) => name);
  }

  async #passTimes(): Promise<number[]> {
    const text = await this.#host.must(['cat', '/run/vigo.log']);
    const lines = text.split('\n').filter((line) => /"pass (converged|changed)"/.test(line));
    return lines.map((line) => Number(/"ms":(\d+)/.exec(line)?.[1]));
  }

  /** CPU of all threads, which the kernel counts in nanoseconds, and of ended children, in ticks. */
  async #processorMs(pid: number): Promise<number> {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) => {
      const [spent = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(
        ' ',
      );
      return Number(spent);
    });
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const childTicks = Number(fields[13]) + Number(fields[14]);
    return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6 + childTicks * 10;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
