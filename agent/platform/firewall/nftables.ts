import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { runFirewall } from './failure.ts';
import { type Firewall, type FirewallRule, isIpv6, ruleText } from './firewall.ts';

const table = 'inet vigo';
const chains = { in: 'input', out: 'output' } as const;
const commentLimit = 120;

interface Entry {
  readonly chain: string;
  readonly handle: number;
  readonly comment: string;
}

/**
 * Rules in a table of our own, so that no other's rules are touched; each change is one transaction of
 * nft -f. A rule is known by its comment. In the table, what is allowed comes before what is denied.
 */
export class Nftables implements Firewall {
  readonly name = 'nftables';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async has(rule: FirewallRule, signal?: AbortSignal): Promise<boolean> {
    return (await this.#find(rule, signal)).length > 0;
  }

  async add(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    const verb = rule.action === 'allow' ? 'insert' : 'add';
    await this.#change(
      [
        `add table ${table}`,
        `add chain ${table} input { type filter hook input priority -10; policy accept; }`,
        `add chain ${table} output { type filter hook output priority -10; policy accept; }`,
        `${verb} rule ${table} ${chains[rule.direction]} ${expression(rule)}`,
      ],
      signal,
    );
  }

  async remove(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    const entries = await this.#find(rule, signal);
    const lines = entries.map(
      ({ chain, handle }) => `delete rule ${table} ${chain} handle ${handle}`,
    );
    if (lines.length > 0) await this.#change(lines, signal);
  }

  async #change(lines: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await runFirewall(this.#platform, ['nft', '-f', '-'], signal, `${lines.join('\n')}\n`);
  }

  async #find(rule: FirewallRule, signal: AbortSignal | undefined): Promise<Entry[]> {
    const argv = ['nft', '-j', 'list', 'table', 'inet', 'vigo'] as const;
    const result = await runTool(this.#platform, argv, {
      signal,
      outputLimit: 4 * 1024 * 1024,
    });
    if (result.exitCode !== 0) {
      if (/No such file or directory/.test(result.stderr)) return [];
      throw new AgentError('AGENT_FIREWALL_FAILED', { detail: `nft: ${causeOf(result)}` });
    }
    const id = identity(rule);
    return parseRules(result.stdout).filter(
      ({ chain, comment }) =>
        chain === chains[rule.direction] && (comment === id || comment.startsWith(`${id} # `)),
    );
  }
}

function identity(rule: FirewallRule): string {
  return `vigo: ${ruleText(rule)}`;
}

function expression(rule: FirewallRule): string {
  const { peer, ports, protocol, direction, comment } = rule;
  const side = direction === 'in' ? 'saddr' : 'daddr';
  const range = ports[0] === ports[1] ? String(ports[0]) : ports.join('-');
  const note = comment === '' ? identity(rule) : `${identity(rule)} # ${comment}`;
  return [
    ...(peer === undefined ? [] : [isIpv6(peer) ? 'ip6' : 'ip', side, peer]),
    ...(protocol === 'any' ? ['meta l4proto { tcp, udp } th dport'] : [protocol, 'dport']),
    range,
    rule.action === 'allow' ? 'accept' : 'drop',
    `comment "${note.replace(/["\\]/g, "'").slice(0, commentLimit)}"`,
  ].join(' ');
}

interface Listing {
  readonly nftables?: readonly { readonly rule?: Partial<Entry> }[];
}

/** The rules in what `nft -j list` prints (libnftables-json(5)). */
export function parseRules(json: string): Entry[] {
  try {
    const listing = JSON.parse(json) as Listing;
    return (listing.nftables ?? []).flatMap(({ rule }) =>
      rule?.handle === undefined || rule.chain === undefined
        ? []
        : [{ chain: rule.chain, handle: rule.handle, comment: rule.comment ?? '' }],
    );
  } catch {
    throw new AgentError('AGENT_FIREWALL_FAILED', { detail: 'nft printed no JSON' });
  }
}
