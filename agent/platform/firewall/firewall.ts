import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { Firewalld } from './firewalld.ts';
import { Iptables } from './iptables.ts';
import { Nftables } from './nftables.ts';
import { Ufw } from './ufw.ts';

/** One rule as policy declares it, whatever program keeps it. */
export interface FirewallRule {
  readonly direction: 'in' | 'out';
  readonly action: 'allow' | 'deny';
  readonly protocol: 'any' | 'tcp' | 'udp';
  /** Inclusive; both are the same for one port. */
  readonly ports: readonly [number, number];
  /** Address or network of the other side; undefined for all. */
  readonly peer: string | undefined;
  /** For a person; where the program keeps comments. */
  readonly comment: string;
}

/** What the executor needs of a firewall. Failures are AgentErrors. */
export interface Firewall {
  readonly name: string;
  has(rule: FirewallRule, signal?: AbortSignal): Promise<boolean>;
  /** Adds what of the rule is missing, now and, where the program keeps rules, for the next boot. */
  add(rule: FirewallRule, signal?: AbortSignal): Promise<void>;
  remove(rule: FirewallRule, signal?: AbortSignal): Promise<void>;
}

/** The rule on one line: also its identity in comments of programs that number their rules. */
export function ruleText(rule: FirewallRule): string {
  const { direction, action, protocol, ports, peer } = rule;
  const range = ports[0] === ports[1] ? String(ports[0]) : ports.join('-');
  const side = direction === 'in' ? 'from' : 'to';
  return `${action} ${direction} ${protocol} ${range} ${side} ${peer ?? 'any'}`;
}

export function isIpv6(peer: string): boolean {
  return peer.includes(':');
}

/** The families that a rule concerns. */
export function familiesOf(rule: FirewallRule): readonly ('ipv4' | 'ipv6')[] {
  if (rule.peer === undefined) return ['ipv4', 'ipv6'];
  return [isIpv6(rule.peer) ? 'ipv6' : 'ipv4'];
}

export function protocolsOf(rule: FirewallRule): readonly ('tcp' | 'udp')[] {
  return rule.protocol === 'any' ? ['tcp', 'udp'] : [rule.protocol];
}

/**
 * The firewall that is in charge on this machine, by its files: an enabled ufw, an enabled firewalld,
 * else nftables, else iptables; undefined when none is installed.
 */
export async function detectFirewall(platform: Platform): Promise<Firewall | undefined> {
  const { files, paths } = platform;
  const exists = async (path: string) =>
    (await files.status(await paths.resolve(path, { followLast: true }))) !== undefined;
  const installed = async (program: string) =>
    (await exists(`/usr/sbin/${program}`)) || (await exists(`/sbin/${program}`));
  const ufw = (await readText(platform, '/etc/ufw/ufw.conf')) ?? '';
  if (/^ENABLED=yes\s*$/im.test(ufw) && (await installed('ufw'))) return new Ufw(platform);
  const wanted = '/etc/systemd/system/multi-user.target.wants/firewalld.service';
  if ((await installed('firewalld')) && (await exists(wanted))) return new Firewalld(platform);
  if (await installed('nft')) return new Nftables(platform);
  if (await installed('iptables')) return new Iptables(platform);
  return undefined;
}
