import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentNode } from './agent-node.ts';
import { publishPackages } from './apt-repository.ts';
import { debianPackages } from './debian-packages.ts';

/** Between two passes and check-ins of the agent; shorter than a server may ask for. */
export const passInterval = '500ms';
/** Counts the starts of nginx, whoever asks for them. */
const counter = `[Service]
ExecStartPost=/bin/sh -c 'echo start >>/var/log/nginx-starts'
`;

export interface Usage {
  readonly rssKb: number;
  /** CPU of the process and its ended children since it started, seconds. */
  readonly cpuSeconds: number;
  readonly threads: number;
}

/** The machine of the journey: Debian's own nginx under an agent. */
export class JourneyNode extends AgentNode {
  /** Debian's own nginx and apt-transport-https, from a repository on the host. */
  async prepare(): Promise<void> {
    await publishPackages(this.host, [], debianPackages(['nginx', 'apt-transport-https']));
    await this.sh('mkdir /etc/systemd/system/nginx.service.d');
    const { root } = this.host;
    writeFileSync(join(root, 'etc/systemd/system/nginx.service.d/counter.conf'), counter);
    await this.install(passInterval);
  }

  async read(path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.host.run(['cat', path]);
    return exitCode === 0 ? stdout : undefined;
  }

  /** How often a line was written to a log, by nginx' start or the third sample's command. */
  async count(log: string): Promise<number> {
    return (await this.read(log))?.split('\n').filter(Boolean).length ?? 0;
  }

  /** What nginx itself answers. */
  async page(): Promise<string> {
    const get =
      'exec 3<>/dev/tcp/127.0.0.1/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3';
    const { stdout } = await this.host.run(['bash', '-c', get]);
    return stdout.slice(stdout.indexOf('\r\n\r\n') + 4);
  }

  async usage(): Promise<Usage> {
    const pid = (await this.host.must(['systemctl', 'show', '-P', 'MainPID', 'vigo'])).trim();
    const text = await this.sh(`getconf CLK_TCK; cat /proc/${pid}/stat /proc/${pid}/status`);
    const [ticks = '', stat = ''] = text.split('\n');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const spent = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const value = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1]);
    return {
      rssKb: value('VmRSS'),
      threads: value('Threads'),
      cpuSeconds: spent / Number(ticks),
    };
  }
}
