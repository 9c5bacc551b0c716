import { mkdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { editHosts, hostType } from '../../../../agent/executors/cross/host.ts';
import { editKnownHosts, sshkeyType } from '../../../../agent/executors/cross/sshkey.ts';
import { proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const hosts =
  '127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n# db here\n10.0.0.1 db old # main\n';

t.test('an entry of /etc/hosts is what is declared', (t) =>
  proveTextEdits(
    t,
    hostType,
    '/etc/hosts',
    { hostname: 'db', ip: '10.0.0.2' },
    {
      edits: [
        [
          'another address, aliases and comment kept',
          {},
          hosts,
          hosts.replace('10.0.0.1 db old', '10.0.0.2\tdb old'),
        ],
        ['as declared, however it is spaced', { ip: '10.0.0.1', aliases: 'old' }, hosts, hosts],
        [
          'exactly these aliases',
          { ip: '10.0.0.1', aliases: 'x y' },
          hosts,
          hosts.replace('10.0.0.1 db old', '10.0.0.1\tdb x y'),
        ],
        ['a new name', { hostname: 'web', aliases: 'w' }, hosts, `${hosts}10.0.0.2\tweb w\n`],
        [
          'after a last line without its end',
          { hostname: 'web' },
          '127.0.0.1 l',
          '127.0.0.1 l\n10.0.0.2\tweb\n',
        ],
        ['IPv6 beside IPv4', { ip: 'fd00::1' }, hosts, `${hosts}fd00::1\tdb\n`],
        [
          'one family of localhost',
          { hostname: 'localhost', ip: '127.0.0.2' },
          hosts,
          hosts.replace('127.0.0.1\tl', '127.0.0.2\tl'),
        ],
        ['said twice', { ip: '10.0.0.1' }, '10.0.0.1 db\n10.0.0.9 db\n', '10.0.0.1 db\n'],
        [
          'an alias elsewhere is another entry',
          { hostname: 'old' },
          hosts,
          `${hosts}10.0.0.2\told\n`,
        ],
        [
          'absent, in both families',
          { hostname: 'localhost', state: 'absent', ip: '' },
          hosts,
          hosts.split('\n').slice(2).join('\n'),
        ],
        ['absent at one address', { state: 'absent', ip: '10.9.9.9' }, hosts, hosts],
        ['absent already', { hostname: 'web', state: 'absent' }, hosts, hosts],
      ],
      refusals: [
        ['no address', { ip: '' }, hosts, 'POLICY_PARAMETER_INVALID'],
        ['no such address', { ip: '10.0.0.256' }, hosts, 'POLICY_PARAMETER_INVALID'],
        ['a name of two', { hostname: 'a b' }, hosts, 'POLICY_PARAMETER_INVALID'],
        ['a line in a name', { hostname: 'a\n1.1.1.1 b' }, hosts, 'POLICY_PARAMETER_INVALID'],
        ['a comment as alias', { aliases: '#' }, hosts, 'POLICY_PARAMETER_INVALID'],
        ['its own alias', { aliases: 'DB' }, hosts, 'POLICY_PARAMETER_INVALID'],
      ],
    },
  ),
);

const key = (fill: number) => {
  const blob = [0, 0, 0, 11, ...Buffer.from('ssh-ed25519'), 0, 0, 0, 32, ...Array(32).fill(fill)];
  return Buffer.from(blob).toString('base64');
};
const [one, two] = [key(1), key(2)];
const known = `# keys\n|1|hash|ed ssh-ed25519 ${two}\nweb,10.0.0.1 ssh-ed25519 ${one} by hand\nweb ssh-rsa AAAA\n@revoked web ssh-ed25519 ${two}\n`;

t.test('a key of a host is what is declared', (t) =>
  proveTextEdits(
    t,
    sshkeyType,
    '/etc/ssh/ssh_known_hosts',
    { hostname: 'web', sshkey_type: 'ssh-ed25519', sshkey: two },
    {
      edits: [
        ['another key, names and comment kept', {}, known, known.replace(one, two)],
        ['as declared', { sshkey: one }, known, known],
        ['the short name of a type', { sshkey: one, sshkey_type: 'ed25519' }, known, known],
        [
          'exactly these aliases',
          { sshkey: one, aliases: 'w,[w]:22' },
          known,
          known.replace('web,10.0.0.1', 'web,w,[w]:22'),
        ],
        [
          'a new host with a port',
          { hostname: '[git]:2222' },
          known,
          `${known}[git]:2222 ssh-ed25519 ${two}\n`,
        ],
        [
          'said twice',
          { sshkey: one },
          `web ssh-ed25519 ${one}\nweb ssh-ed25519 ${two}\n`,
          `web ssh-ed25519 ${one}\n`,
        ],
        [
          'absent, one type',
          { state: 'absent', sshkey: '' },
          known,
          known.replace(/^web,.*\n/m, ''),
        ],
        [
          'absent, all types',
          { state: 'absent', sshkey: '', sshkey_type: '' },
          known,
          known.replace(/^web.*\n/gm, ''),
        ],
        ['absent already', { hostname: 'db', state: 'absent' }, known, known],
      ],
      refusals: [
        ['a key of another type', { sshkey_type: 'ssh-rsa' }, known, 'POLICY_PARAMETER_INVALID'],
        ['no base64', { sshkey: `${one} x` }, known, 'POLICY_PARAMETER_INVALID'],
        ['no key', { sshkey: '' }, known, 'POLICY_PARAMETER_INVALID'],
        ['two hosts in one', { hostname: 'a,b' }, known, 'POLICY_PARAMETER_INVALID'],
        ['a marker as host', { hostname: '@cert-authority' }, known, 'POLICY_PARAMETER_INVALID'],
        ['no ssh', {}, undefined, 'AGENT_PATH_MISSING'],
      ],
    },
  ),
);

t.test('both files are made when they are missing', async (t) => {
  const made = (path: string, text: string) => ({
    name: path,
    arrange: (root: string) => {
      mkdirSync(`${root}/etc/ssh`, { recursive: true });
    },
    action: 'created' as const,
    check: (root: string) => t.equal(readFileSync(root + path, 'utf8'), text),
  });
  const host = { hostname: 'db', ip: '10.0.0.2' };
  await proveExecutor(t, hostType, [{ ...made('/etc/hosts', '10.0.0.2\tdb\n'), parameters: host }]);
  const sshkey = { hostname: 'web', sshkey_type: 'ed25519', sshkey: one, file: '/etc/ssh/known' };
  await proveExecutor(t, sshkeyType, [
    { ...made('/etc/ssh/known', `web ssh-ed25519 ${one}\n`), parameters: sshkey },
  ]);
});

t.test('any file stays stable and keeps the lines of others', async (t) => {
  const word = fc.constantFrom(
    '10.0.0.1',
    '::1',
    'db',
    'DB',
    'web',
    '#',
    '\t',
    ' ',
    '\r',
    '|1|x',
    'ssh-ed25519',
    one,
    ',',
  );
  const text = fc
    .array(
      fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
      { maxLength: 6 },
    )
    .map((lines) => lines.join('\n'));
  const host = { hostname: 'db', ip: '10.0.0.2', aliases: 'd' };
  const sshkey = { hostname: 'db', sshkey_type: 'ed25519', sshkey: one };
  const foreign = (text: string) =>
    text
      .split('\n')
      .filter((line) => !/db/i.test(line))
      .join('\n')
      .trimEnd();
  fc.assert(
    fc.property(text, fc.constantFrom('present', 'absent'), (before, state) => {
      const edits = [
        (text: string) => editHosts(text, hostType.parse({ ...host, state })),
        (text: string) => editKnownHosts(text, sshkeyType.parse({ ...sshkey, state })),
      ];
      for (const edit of edits) {
        const once = edit(before);
        if (edit(once) !== once) throw new Error(`not stable: ${JSON.stringify([before, once])}`);
        if (foreign(once) !== foreign(before)) throw new Error(JSON.stringify([before, once]));
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
