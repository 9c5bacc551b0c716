import { AgentError } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { runFirewall } from './failure.ts';
import { type Firewall, type FirewallRule, isIpv6, protocolsOf, ruleText } from './firewall.ts';

const configuration = '/etc/firewalld/firewalld.conf';
const fallbackZone = 'public';

/**
 * Rich rules of firewalld's default zone. The running firewall is told first and the permanent one
 * after it: the permanent one is what is read, so a change that was cut short in between is repeated.
 */
export class Firewalld implements Firewall {
  readonly name = 'firewalld';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async has(rule: FirewallRule): Promise<boolean> {
    const zone = await this.#zone();
    const text = (await readText(this.#platform, `/etc/firewalld/zones/${zone}.xml`)) ?? '';
    const known = parseRichRules(text);
    return richRules(rule).every((one) => known.has(one));
  }

  add(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    return this.#change('--add-rich-rule', rule, signal);
  }

  remove(rule: FirewallRule, signal?: AbortSignal): Promise<void> {
    return this.#change('--remove-rich-rule', rule, signal);
  }

  async #change(verb: string, rule: FirewallRule, signal: AbortSignal | undefined): Promise<void> {
    const zone = `--zone=${await this.#zone()}`;
    for (const text of richRules(rule))
      for (const scope of [[], ['--permanent']]) {
        const argv = ['firewall-cmd', '-q', ...scope, zone, `${verb}=${text}`] as const;
        await runFirewall(this.#platform, [argv[0], ...argv.slice(1)], signal);
      }
  }

  async #zone(): Promise<string> {
    const text = (await readText(this.#platform, configuration)) ?? '';
    return /^DefaultZone=([\w-]+)\s*$/m.exec(text)?.[1] ?? fallbackZone;
  }
}

/** One rule per protocol, as firewall-cmd takes it. */
function richRules(rule: FirewallRule): string[] {
  if (rule.direction === 'out')
    throw new AgentError('AGENT_FIREWALL_UNSUPPORTED', { detail: `firewalld: ${ruleText(rule)}` });
  const { peer, ports } = rule;
  const range = ports[0] === ports[1] ? String(ports[0]) : ports.join('-');
  const source =
    peer === undefined
      ? ''
      : ` family="${isIpv6(peer) ? 'ipv6' : 'ipv4'}" source address="${peer}"`;
  const end = rule.action === 'allow' ? 'accept' : 'drop';
  return protocolsOf(rule).map(
    (protocol) => `rule${source} port port="${range}" protocol="${protocol}" ${end}`,
  );
}

/** The rich rules in a zone's file, written as `richRules` does. */
export function parseRichRules(xml: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, attributes, body] of xml.matchAll(/<rule\b([^>]*)>([\s\S]*?)<\/rule>/g)) {
    const family = /family="(\w+)"/.exec(attributes!)?.[1];
    const address = /<source address="([^"]+)"\s*\/>/.exec(body!)?.[1];
    const tag = /<port\b[^>]*>/.exec(body!)?.[0] ?? '';
    const port = /\bport="([\d-]+)"/.exec(tag)?.[1];
    const protocol = /\bprotocol="(\w+)"/.exec(tag)?.[1];
    const end = /<(accept|drop|reject)\b/.exec(body!)?.[1];
    const source = address === undefined ? '' : ` family="${family}" source address="${address}"`;
    found.add(`rule${source} port port="${port}" protocol="${protocol}" ${end}`);
  }
  return found;
}
