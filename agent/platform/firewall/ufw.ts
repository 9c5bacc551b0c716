import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { runFirewall } from './failure.ts';
import { type Firewall, type FirewallRule, familiesOf } from './firewall.ts';

const places = { ipv4: '/etc/ufw/user.rules', ipv6: '/etc/ufw/user6.rules' } as const;
const everywhere = { ipv4: '0.0.0.0/0', ipv6: '::/0' } as const;

/** Rules of ufw, which keeps them in files: they are read there, since `ufw status` takes 100 ms. */
export class Ufw implements Firewall {
  readonly name = 'ufw';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async has(rule: FirewallRule): Promise<boolean> {
    const defaults = (await readText(this.#platform, '/etc/default/ufw')) ?? '';
    const hasIpv6 = !/^IPV6=no\s*$/im.test(defaults);
    for (const family of familiesOf(rule)) {
      if (family === 'ipv6' && rule.peer === undefined && !hasIpv6) continue;
      const text = (await readText(this.#platform, places[family])) ?? '';
      if (!tuplesOf(text).has(tuple(rule, family))) return false;
    }
    return true;
  }

  async add(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    const comment = rule.comment === '' ? [] : ['comment', rule.comment];
    await runFirewall(this.#platform, ['ufw', ...words(rule), ...comment], signal);
  }

  async remove(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    await runFirewall(this.#platform, ['ufw', '--force', 'delete', ...words(rule)], signal);
  }
}

/** What ufw writes before each rule: action, protocol, port, destination, any, source, direction. */
export function tuplesOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, words] of text.matchAll(/^### tuple ### (.+)$/gm))
    found.add(words!.replace(/ comment=[0-9a-f]*\s*$/, '').trim());
  return found;
}

function tuple(rule: FirewallRule, family: 'ipv4' | 'ipv6'): string {
  const all = everywhere[family];
  const [from, to] = rule.direction === 'in' ? [rule.peer, undefined] : [undefined, rule.peer];
  const words = [rule.action, rule.protocol, portText(rule), to ?? all, 'any', from ?? all];
  return [...words, rule.direction].join(' ');
}

function portText({ ports }: FirewallRule): string {
  return ports[0] === ports[1] ? String(ports[0]) : ports.join(':');
}

function words(rule: FirewallRule): string[] {
  const [from, to] = rule.direction === 'in' ? [rule.peer, undefined] : [undefined, rule.peer];
  return [
    rule.action,
    rule.direction,
    ...(rule.protocol === 'any' ? [] : ['proto', rule.protocol]),
    ...['from', from ?? 'any', 'to', to ?? 'any', 'port', portText(rule)],
  ];
}
