import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishPackages } from './apt-repository.ts';
import { debianPackages } from './debian-packages.ts';
import { type LabHost, nodeInHost, projectInHost, serverAddress } from './lab.ts';
import { type LabServer, serverPort } from './lab-server.ts';

const program = [
  nodeInHost,
  '--disable-warning=ExperimentalWarning',
  `${projectInHost}/agent/main.ts`,
];
/** Between two passes and check-ins of the agent; shorter than a server may ask for. */
export const passInterval = '500ms';
const unit = `[Unit]
Description=Vigo agent
[Service]
ExecStart=${program.join(' ')} daemon --json --interval ${passInterval}
Restart=always
[Install]
WantedBy=multi-user.target
`;
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

/** A lab host with the agent as a unit of its systemd. */
export class JourneyNode {
  readonly host: LabHost;

  constructor(host: LabHost) {
    this.host = host;
  }

  sh(text: string): Promise<string> {
    return this.host.must(['sh', '-ec', text]);
  }

  /** Debian's own nginx and apt-transport-https, from a repository on the host. */
  async prepare(): Promise<void> {
    await publishPackages(this.host, [], debianPackages(['nginx', 'apt-transport-https']));
    await this.sh('mkdir /etc/systemd/system/nginx.service.d');
    const { root } = this.host;
    writeFileSync(join(root, 'etc/systemd/system/nginx.service.d/counter.conf'), counter);
    writeFileSync(join(root, 'etc/systemd/system/vigo.service'), unit);
  }

  async enroll(server: LabServer): Promise<void> {
    const words = ['tokens', 'create', '--match', 'web-*'];
    const { token } = await server.json<{ token: string }>(...words);
    this.host.copyIn(join(server.home, 'tls/ca.cert.pem'), '/root/ca.pem');
    const where = ['--server', `${serverAddress}:${serverPort}`, '--ca-file', '/root/ca.pem'];
    await this.host.must([...program, 'register', ...where, '--token', token]);
    await this.sh('systemctl -q daemon-reload; systemctl -q enable --now vigo');
  }

  async status(): Promise<{ readonly pendingResults: number; readonly contactFailure?: string }> {
    return JSON.parse(await this.host.must([...program, 'status', '--json'])) as {
      pendingResults: number;
      contactFailure?: string;
    };
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
