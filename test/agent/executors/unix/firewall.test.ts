import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { firewallType } from '../../../../agent/executors/unix/firewall.ts';
import type { RunRequest } from '../../../../agent/platform/platform.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

const read = (root: string, path: string) =>
  existsSync(root + path) ? readFileSync(root + path, 'utf8') : '';
const https = { port: 443, proto: 'tcp' };
const office = { port: '6000:6007', from: '10.0.0.0/8', action: 'deny', comment: 'X "11"' };
const allow = (root: string) => arrange(root, { '/usr/sbin/nft': '' });

/** Keeps rules with handles, as nft does, in a file of the tree. */
const nft: SimulatedTool = (words, root, stdin) => {
  const path = '/run/nft.json';
  const rules: { chain: string; handle: number; comment: string; text: string }[] = JSON.parse(
    read(root, path) || '[]',
  );
  if (words[0] === '-j') {
    if (!existsSync(root + path))
      return { exitCode: 1, stderr: 'Error: No such file or directory' };
    return {
      stdout: JSON.stringify({ nftables: [{ metainfo: {} }, ...rules.map((rule) => ({ rule }))] }),
    };
  }
  let kept = rules;
  for (const line of stdin.trim().split('\n')) {
    const gone = /^delete rule inet vigo \w+ handle (\d+)$/.exec(line)?.[1];
    if (gone !== undefined) kept = kept.filter(({ handle }) => handle !== Number(gone));
    const made = /^(?:add|insert) rule inet vigo (\w+) (.*) comment "(.*)"$/.exec(line);
    if (made !== null)
      kept = [
        ...kept,
        { chain: made[1]!, handle: kept.length + 5, text: made[2]!, comment: made[3]! },
      ];
  }
  arrange(root, { [path]: JSON.stringify(kept) });
  return undefined;
};
const rule = (text: string) => (root: string, t: Test) =>
  t.same(
    JSON.parse(read(root, '/run/nft.json')).map((one: { text: string }) => one.text),
    [text],
  );
const withRule = (root: string) => {
  allow(root);
  nft(
    ['-f'],
    root,
    'add rule inet vigo input tcp dport 443 accept comment "vigo: allow in tcp 443 from any # web"',
  );
};

const cases: readonly ExecutorCase[] = [
  {
    name: 'from nothing',
    parameters: https,
    arrange: allow,
    action: 'created',
    reason: /nftables: allow in tcp 443 from any is missing/,
    check: rule('tcp dport 443 accept'),
  },
  {
    name: 'as declared, another remark',
    parameters: { ...https, comment: 'x' },
    arrange: withRule,
    action: 'none',
  },
  {
    name: 'a range, a network, both protocols',
    parameters: office,
    arrange: allow,
    action: 'created',
    check: rule('ip saddr 10.0.0.0/8 meta l4proto { tcp, udp } th dport 6000-6007 drop'),
  },
  {
    name: 'outwards over IPv6',
    parameters: { port: 53, proto: 'udp', direction: 'out', from: 'FD00::1' },
    arrange: allow,
    action: 'created',
    check: rule('ip6 daddr fd00::1 udp dport 53 accept'),
  },
  {
    name: 'absent',
    parameters: { ...https, state: 'absent' },
    arrange: withRule,
    action: 'deleted',
    check: (root, t) => t.equal(read(root, '/run/nft.json'), '[]'),
  },
  {
    name: 'absent already',
    parameters: { ...https, state: 'absent' },
    arrange: allow,
    action: 'none',
  },
  { name: 'no firewall', parameters: https, action: 'failed', errorCode: 'AGENT_FIREWALL_MISSING' },
  ...refusedCases(https, [
    { port: 0 },
    { port: 70000 },
    { port: '9:3' },
    { port: '80; flush ruleset' },
    { from: 'any; drop' },
    { from: '10.0.0.0/33' },
    { comment: 'a\nflush ruleset' },
    { proto: 'icmp' },
  ]),
];

t.test('a rule of nftables is what is declared', (t) =>
  proveExecutor(t, firewallType, cases, {
    platform: simulatedMachine({ nft }),
    backend: 'nftables',
    interrupted: 'first-of-each-action',
  }),
);

const ufwOn =
  (rules = '', rules6 = '') =>
  (root: string) =>
    arrange(root, {
      '/usr/sbin/ufw': '',
      '/usr/sbin/nft': '',
      '/etc/ufw/ufw.conf': 'ENABLED=yes\n',
      '/etc/ufw/user.rules': rules,
      '/etc/ufw/user6.rules': rules6,
    });
const line = (all: string, text = `allow tcp 443 ${all} any ${all} in`) =>
  `### tuple ### ${text}\n`;
/** Writes what ufw would, for the rules of these tests. */
const ufw: SimulatedTool = (words, root) => {
  const gone = words.includes('delete');
  const [v4, v6] = [line('0.0.0.0/0'), line('::/0')];
  for (const [path, text] of [
    ['/etc/ufw/user.rules', v4],
    ['/etc/ufw/user6.rules', v6],
  ] as const) {
    const rest = read(root, path).replace(/^### tuple ### allow tcp 443.*\n/m, '');
    writeFileSync(root + path, gone ? rest : rest + text.replace('\n', ' comment=77\n'));
  }
  return undefined;
};

t.test('a rule of ufw is what is declared', async (t) => {
  const calls: RunRequest[] = [];
  await proveExecutor(
    t,
    firewallType,
    [
      {
        name: 'from nothing',
        parameters: https,
        arrange: ufwOn(),
        action: 'created',
        reason: /^ufw: /,
      },
      {
        name: 'as declared',
        parameters: https,
        arrange: ufwOn(line('0.0.0.0/0'), line('::/0')),
        action: 'none',
      },
      {
        name: 'only of one family',
        parameters: https,
        arrange: ufwOn(line('0.0.0.0/0')),
        action: 'created',
      },
      {
        name: 'a network is of one family',
        parameters: { ...https, from: '10.0.0.0/8' },
        arrange: ufwOn(line('', 'allow tcp 443 0.0.0.0/0 any 10.0.0.0/8 in')),
        action: 'none',
      },
      {
        name: 'absent',
        parameters: { ...https, state: 'absent' },
        arrange: ufwOn(line('0.0.0.0/0'), line('::/0')),
        action: 'deleted',
      },
    ],
    {
      platform: simulatedMachine({ ufw }, calls),
      backend: 'ufw',
      interrupted: 'first-of-each-action',
    },
  );
  t.same(calls[0]?.argv, [
    'ufw',
    'allow',
    'in',
    'proto',
    'tcp',
    'from',
    'any',
    'to',
    'any',
    'port',
    '443',
  ]);
});

const zone = '/etc/firewalld/zones/public.xml';
const firewalldOn =
  (body = '') =>
  (root: string) =>
    arrange(root, {
      '/usr/sbin/firewalld': '',
      '/etc/systemd/system/multi-user.target.wants/firewalld.service': '',
      '/etc/firewalld/firewalld.conf': 'DefaultZone=public\n',
      [zone]: `<zone>${body}</zone>`,
    });
const rich = '<rule><port port="443" protocol="tcp"/><accept/></rule>';
const firewallCmd: SimulatedTool = (words, root) => {
  if (!words.includes('--permanent')) return undefined;
  const added = words.some((word) => word.startsWith('--add-rich-rule=rule port'));
  writeFileSync(root + zone, `<zone>${added ? rich : ''}</zone>`);
  return undefined;
};

t.test('a rule of firewalld is what is declared', (t) =>
  proveExecutor(
    t,
    firewallType,
    [
      {
        name: 'from nothing',
        parameters: https,
        arrange: firewalldOn(),
        action: 'created',
        reason: /^firewalld: /,
        check: (root, t) => t.match(read(root, zone), rich),
      },
      { name: 'as declared', parameters: https, arrange: firewalldOn(rich), action: 'none' },
      {
        name: 'with a network',
        parameters: { ...https, from: 'fd00::/8' },
        arrange: firewalldOn(
          '<rule family="ipv6"><source address="fd00::/8"/><port protocol="tcp" port="443"/><accept/></rule>',
        ),
        action: 'none',
      },
      {
        name: 'absent',
        parameters: { ...https, state: 'absent' },
        arrange: firewalldOn(rich),
        action: 'deleted',
      },
      {
        name: 'outwards',
        parameters: { ...https, direction: 'out' },
        arrange: firewalldOn(),
        action: 'failed',
        errorCode: 'AGENT_FIREWALL_UNSUPPORTED',
      },
    ],
    {
      platform: simulatedMachine({ 'firewall-cmd': firewallCmd }),
      backend: 'firewalld',
      interrupted: 'first-of-each-action',
    },
  ),
);

const iptables =
  (tool: string): SimulatedTool =>
  (words, root) => {
    const [verb, ...text] = words.slice(2);
    const path = `/run/${tool}`;
    const lines = read(root, path)
      .split('\n')
      .filter((one) => one !== '');
    if (verb === '-C') return { exitCode: lines.includes(text.join(' ')) ? 0 : 1 };
    const rest = lines.filter((one) => one !== text.join(' '));
    arrange(root, { [path]: [...rest, ...(verb === '-D' ? [] : [text.join(' ')])].join('\n') });
    return undefined;
  };
const both = { iptables: iptables('iptables'), ip6tables: iptables('ip6tables') };
const words =
  'INPUT -p tcp -m tcp --dport 443 -m comment --comment vigo: allow in tcp 443 from any -j ACCEPT';
const iptablesOn =
  (v4 = '', v6 = '') =>
  (root: string) =>
    arrange(root, { '/sbin/iptables': '', '/run/iptables': v4, '/run/ip6tables': v6 });

t.test('a rule of iptables is what is declared, in both families', (t) =>
  proveExecutor(
    t,
    firewallType,
    [
      {
        name: 'from nothing',
        parameters: https,
        arrange: iptablesOn(),
        action: 'created',
        check: (root, t) =>
          t.same([read(root, '/run/iptables'), read(root, '/run/ip6tables')], [words, words]),
      },
      {
        name: 'one family lost it',
        parameters: https,
        arrange: iptablesOn(words),
        action: 'created',
        check: (root, t) => t.equal(read(root, '/run/ip6tables'), words),
      },
      { name: 'as declared', parameters: https, arrange: iptablesOn(words, words), action: 'none' },
      {
        name: 'absent',
        parameters: { ...https, state: 'absent' },
        arrange: iptablesOn(words, words),
        action: 'deleted',
        check: (root, t) => t.equal(read(root, '/run/iptables'), ''),
      },
    ],
    { platform: simulatedMachine(both), backend: 'iptables', interrupted: 'first-of-each-action' },
  ),
);

t.test('a lock held by others is blocked', (t) =>
  proveExecutor(
    t,
    firewallType,
    [
      {
        name: 'locked',
        parameters: https,
        arrange: iptablesOn(),
        action: 'blocked',
        errorCode: 'AGENT_FIREWALL_BUSY',
      },
    ],
    {
      platform: simulatedMachine({
        iptables: () => ({
          exitCode: 4,
          stderr: 'Another app is currently holding the xtables lock',
        }),
      }),
    },
  ),
);
