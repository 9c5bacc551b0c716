import { AgentError } from '../../errors.ts';
import {
  detectFirewall,
  type Firewall,
  type FirewallRule,
  ruleText,
} from '../../platform/firewall/firewall.ts';
import type { Platform } from '../../platform/platform.ts';
import { firewallSchema } from '../../policy/resource-schemas/firewall.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';

export interface FirewallSpec {
  readonly rule: FirewallRule;
  readonly absent: boolean;
}

export interface FirewallState {
  readonly firewall: Firewall;
  readonly there: boolean;
}

const portLimit = 65_535;

/** One rule of the firewall that is in charge: ufw, firewalld, nftables or iptables. */
export function createFirewallType(
  detect: (platform: Platform) => Promise<Firewall | undefined> = detectFirewall,
): ResourceType<FirewallSpec, FirewallState> {
  return {
    name: 'firewall',
    parameters: firewallSchema.parameters,
    confinable: false,
    timeoutMs: 120_000,
    parse,
    observe: async (spec, { platform, signal }) => {
      const firewall = await detect(platform);
      if (firewall === undefined) throw new AgentError('AGENT_FIREWALL_MISSING');
      return { firewall, there: await firewall.has(spec.rule, signal) };
    },
    compare,
    apply: async (spec, { firewall }, _drift, { signal }) => {
      if (spec.absent) await firewall.remove(spec.rule, signal);
      else await firewall.add(spec.rule, signal);
    },
    targets: () => [],
  };
}

function parse(values: Readonly<Record<string, PolicyValue>>): FirewallSpec {
  const reader = new ParameterReader(firewallSchema.parameters, values);
  const [first = 0, last = first] = (reader.text('port') ?? '').split(/[:-]/).map(Number);
  if (!(first >= 1 && last >= first && last <= portLimit))
    reader.problem('port', 'must be from 1 to 65535, or a rising range of them');
  const from = reader.text('from') ?? 'any';
  const rule: FirewallRule = {
    direction: reader.enumeration('direction', ['in', 'out']) ?? 'in',
    action: reader.enumeration('action', ['allow', 'deny']) ?? 'allow',
    protocol: reader.enumeration('proto', ['any', 'tcp', 'udp']) ?? 'any',
    ports: [first, last],
    peer: from === 'any' ? undefined : from.toLowerCase(),
    comment: reader.text('comment') ?? '',
  };
  reader.finish();
  return { rule, absent: reader.absent() };
}

function compare({ rule, absent }: FirewallSpec, { firewall, there }: FirewallState): Drift {
  const text = `${firewall.name}: ${ruleText(rule)}`;
  if (absent)
    return there
      ? { action: 'deleted', reason: `${text} is there`, diff: `-${text}` }
      : { action: 'none', reason: 'absent as declared' };
  return there
    ? { action: 'none', reason: `${text} is there` }
    : { action: 'created', reason: `${text} is missing`, diff: `+${text}` };
}

export const firewallType = createFirewallType();
