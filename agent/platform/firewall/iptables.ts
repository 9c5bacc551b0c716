import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { runFirewall } from './failure.ts';
import { type Firewall, type FirewallRule, familiesOf, protocolsOf, ruleText } from './firewall.ts';

const tools = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;
/** Seconds to wait for the lock of another program. */
const lockWait = '5';

/** Rules in the chains INPUT and OUTPUT: what is allowed at their head, what is denied at their end. */
export class Iptables implements Firewall {
  readonly name = 'iptables';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async has(rule: FirewallRule, signal?: AbortSignal): Promise<boolean> {
    for (const one of commands(rule)) if (!(await this.#check(one, signal))) return false;
    return true;
  }

  async add(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    const verb = rule.action === 'allow' ? '-I' : '-A';
    for (const one of commands(rule))
      if (!(await this.#check(one, signal)))
        await runFirewall(this.#platform, argv(one, verb), signal);
  }

  async remove(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    for (const one of commands(rule))
      if (await this.#check(one, signal))
        await runFirewall(this.#platform, argv(one, '-D'), signal);
  }

  async #check(command: Command, signal: AbortSignal | undefined): Promise<boolean> {
    const result = await runTool(this.#platform, argv(command, '-C'), { signal });
    if (result.exitCode === 0) return true;
    if (result.exitCode === 1) return false;
    const code = result.exitCode === 4 ? 'AGENT_FIREWALL_BUSY' : 'AGENT_FIREWALL_FAILED';
    throw new AgentError(code, { detail: `${command.tool}: ${causeOf(result)}` });
  }
}

interface Command {
  readonly tool: string;
  readonly chain: string;
  readonly words: readonly string[];
}

function argv({ tool, chain, words }: Command, verb: string): [string, ...string[]] {
  return [tool, '-w', lockWait, verb, chain, ...words];
}

function commands(rule: FirewallRule): Command[] {
  const { peer, ports, direction } = rule;
  const side = direction === 'in' ? '-s' : '-d';
  const range = ports[0] === ports[1] ? String(ports[0]) : ports.join(':');
  return familiesOf(rule).flatMap((family) =>
    protocolsOf(rule).map((protocol) => ({
      tool: tools[family],
      chain: direction === 'in' ? 'INPUT' : 'OUTPUT',
      words: [
        ...(peer === undefined ? [] : [side, peer]),
        ...['-p', protocol, '-m', protocol, '--dport', range],
        ...['-m', 'comment', '--comment', `vigo: ${ruleText(rule)}`],
        ...['-j', rule.action === 'allow' ? 'ACCEPT' : 'DROP'],
      ],
    })),
  );
}
