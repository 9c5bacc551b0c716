import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { PassResult, ResourceOutcome } from '../../agent/converge/result.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { recordPass } from '../support/lab-coverage.ts';
import { type Host, nodeInHost, projectInHost } from './lab.ts';

export interface LabResource {
  readonly name?: string;
  readonly type: string;
  readonly when?: string;
  readonly notify?: readonly string[];
  readonly parameters: Readonly<Record<string, PolicyValue>>;
}

export interface LabRequest {
  readonly resources: readonly LabResource[];
  readonly dryRun: boolean;
  readonly templates?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, PolicyValue>>;
}

export type LabOptions = Partial<Omit<LabRequest, 'resources'>>;

const command = [nodeInHost, `${projectInHost}/test/lab/run-resources.ts`];

/** A long-lived agent per host, so that what it keeps in memory between passes is tested too. */
class LabAgent {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  constructor(host: Host) {
    this.#child = host.start(command);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer.done === true) throw new Error(`the agent ended: ${this.#complaints}`);
    return answer.value;
  }
}

const agents = new WeakMap<Host, LabAgent>();

/** The next pass is a new agent's: the old one is gone with the host's last boot. */
export function agentIsGone(host: Host): void {
  agents.delete(host);
}

/** One convergence pass of the agent's engine over these resources, inside the host. */
export async function converge(
  host: Host,
  resources: readonly LabResource[],
  options: LabOptions = {},
): Promise<PassResult> {
  const request: LabRequest = { dryRun: false, ...options, resources };
  const agent = agents.get(host) ?? new LabAgent(host);
  agents.set(host, agent);
  const result: PassResult = JSON.parse(await agent.ask(JSON.stringify(request)));
  recordPass(host, result);
  return result;
}

/** The outcome of a single resource. */
export async function convergeOne(
  host: Host,
  type: string,
  parameters: Readonly<Record<string, PolicyValue>>,
  options: LabOptions = {},
): Promise<ResourceOutcome> {
  const result = await converge(host, [{ type, parameters }], options);
  const outcome = result.resources[0];
  if (outcome === undefined) throw new Error('the pass has no outcome');
  return outcome;
}
