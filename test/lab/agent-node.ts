import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFile } from '../support/program.ts';
import { type Host, type LabHost, nodeInHost, projectInHost, serverAddress } from './lab.ts';
import type { LabServer } from './lab-server.ts';

/** How the agent is called on a lab host. */
export const agentProgram = [
  nodeInHost,
  '--disable-warning=ExperimentalWarning',
  programFile('agent/main', projectInHost),
];

/** A lab host with the agent as a unit of its systemd. */
export class AgentNode<Machine extends Host = LabHost> {
  readonly host: Machine;

  constructor(host: Machine) {
    this.host = host;
  }

  sh(text: string): Promise<string> {
    return this.host.must(['sh', '-ec', text]);
  }

  /** Writes the unit; `interval`: between two passes and check-ins of the agent. */
  async install(interval: string): Promise<void> {
    await this.host.must(
      ['tee', '/etc/systemd/system/vigo.service'],
      `[Unit]
Description=Vigo agent
[Service]
ExecStart=${agentProgram.join(' ')} daemon --json --interval ${interval}
Restart=always
[Install]
WantedBy=multi-user.target
`,
    );
  }

  /** Registers with a token of its own and starts the unit. */
  async enroll(server: LabServer): Promise<void> {
    const words = ['tokens', 'create', '--match', this.host.name];
    const { token } = await server.json<{ token: string }>(...words);
    const authority = readFileSync(join(server.home, 'tls/ca.cert.pem'), 'utf8');
    await this.host.must(['tee', '/root/ca.pem'], authority);
    const where = ['--server', `${serverAddress}:${server.port}`, '--ca-file', '/root/ca.pem'];
    await this.host.must([...agentProgram, 'register', ...where, '--token', token]);
    await this.sh('systemctl -q daemon-reload; systemctl -q enable --now vigo');
  }

  async status(): Promise<{ readonly pendingResults: number; readonly contactFailure?: string }> {
    return JSON.parse(await this.host.must([...agentProgram, 'status', '--json'])) as {
      pendingResults: number;
      contactFailure?: string;
    };
  }
}
