import { trafficText } from '../guardrail-traffic.ts';
import { isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const firewallSchema = {
  name: 'firewall',
  summary: 'Keeps a rule of the firewall that is in charge on the node.',
  notes: [
    'That is an enabled ufw, else an enabled firewalld, else nftables, else iptables. Rules of nftables are in a table of their own (inet vigo), whose policy is to accept: a rule there can deny, but it cannot open what another table drops.',
    'ufw and firewalld keep their rules over a reboot; with nftables and iptables the first pass after it brings them back.',
    'Rules that allow come before rules that deny.',
  ],
  category: 'network',
  platforms: ['linux'],
  parameters: [
    {
      name: 'port',
      kind: 'string',
      required: true,
      format: 'port-or-range',
      description: 'Port, or a range of ports.',
      examples: [443, '6000:6007'],
    },
    presence,
    {
      name: 'proto',
      kind: 'enum',
      values: ['any', 'tcp', 'udp'],
      default: 'any',
      description: 'Protocol; any is TCP and UDP.',
    },
    {
      name: 'action',
      kind: 'enum',
      values: ['allow', 'deny'],
      default: 'allow',
      description: 'What happens; part of what names the rule.',
    },
    {
      name: 'from',
      kind: 'string',
      default: 'any',
      pattern:
        '^(?:any|[0-9]{1,3}(?:\\.[0-9]{1,3}){3}(?:/(?:[0-9]|[12][0-9]|3[0-2]))?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:/(?:[0-9]{1,2}|1[01][0-9]|12[0-8]))?)$',
      patternMeaning: 'an address or network such as 10.0.0.0/8, or any',
      description: 'The other side: where it comes from, with direction out where it goes to.',
    },
    {
      name: 'direction',
      kind: 'enum',
      values: ['in', 'out'],
      default: 'in',
      description: 'Direction; firewalld knows only in.',
    },
    {
      name: 'comment',
      kind: 'string',
      pattern: "^[^'\\u0000-\\u001f\\u007f-]?[^'\\u0000-\\u001f\\u007f]{0,99}$",
      patternMeaning: 'one line of at most 100 characters without quotes',
      description: 'A remark; a change of it is no drift.',
    },
  ],
  examples: [
    {
      title: 'A web server',
      resources: [
        { name: 'https', type: 'firewall', port: 443, proto: 'tcp', comment: 'web server' },
      ],
    },
  ],
  targets: (parameters) => {
    const [first = 0, last = first] = (text(parameters, 'port') ?? '').split(/[:-]/).map(Number);
    const rule = {
      direction: text(parameters, 'direction') ?? 'in',
      action: text(parameters, 'action') ?? 'allow',
      protocol: text(parameters, 'proto') ?? 'any',
      ports: [first, last] as const,
      peer: text(parameters, 'from'),
      absent: isAbsent(parameters),
    };
    return [{ kind: 'traffic', value: trafficText(rule), effect: 'write' }];
  },
} as const satisfies ResourceSchema;
