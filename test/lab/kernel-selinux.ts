import type { Test } from 'tap';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { KernelHost } from './kernel-host.ts';
import { type Expected, round } from './kernel-rounds.ts';
import { converge, type LabResource } from './resources.ts';

const of = (
  name: string,
  type: string,
  parameters: Readonly<Record<string, PolicyValue>>,
): LabResource => ({ name, type, parameters });

const places = ['page', 'lines', 'block', 'ini', 'json', 'template'];
/** Every way in which the agent rewrites a file, over files that bear a label and an ACL. */
const rewriting = (text: string): LabResource[] => [
  of('page', 'file', { target_path: '/srv/www/page', content: `${text}\n` }),
  of('lines', 'file_line', { target_path: '/srv/www/lines', line: text }),
  of('block', 'blockinfile', { target_path: '/srv/www/block', block_content: text }),
  of('ini', 'ini', { target_path: '/srv/www/ini', section: 'a', key: 'k', value: text }),
  of('json', 'json_file', { target_path: '/srv/www/json', key: 'k', value: `"${text}"` }),
  of('template', 'file', {
    target_path: '/srv/www/template',
    content: `a ${text}\n`,
    mode: '0600',
  }),
];

const label = (path: string) => ['stat', '-c', '%C', path];
const webLabel = 'unconfined_u:object_r:httpd_sys_content_t:s0';
const odd = 'system_u:object_r:etc_t:s0';

/** Labels and ACLs that someone gave a file outlive what the agent writes into it. */
export async function contextsAreKept(t: Test, host: KernelHost): Promise<void> {
  t.equal((await host.must(['getenforce'])).trim(), 'Enforcing');
  await host.must([
    'sh',
    '-ec',
    `mkdir /srv/www; cd /srv/www; echo '{}' >json; for f in ${places.join(' ')}; do
      [ -e $f ] || echo old >$f; chmod 640 $f; chcon ${webLabel} $f; setfacl -m u:daemon:r $f
      setfattr -n user.origin -v lab $f; done`,
  ]);
  for (const text of ['first', 'second']) {
    const { resources, summary } = await converge(host, rewriting(text));
    t.match(summary, { updated: places.length }, resources.map(({ reason }) => reason).join('\n'));
    for (const name of places) {
      const path = `/srv/www/${name}`;
      t.match(await host.must(['cat', path]), text);
      t.equal((await host.must(label(path))).trim(), webLabel, `${name} keeps its label`);
      t.match(await host.must(['getfacl', '-cp', path]), 'user:daemon:r--', `${name}: its ACL`);
      t.match(await host.must(['getfattr', '-d', '-m', 'user.', path]), 'user.origin="lab"');
    }
  }
  const before = await host.must(label('/etc/hosts'));
  await converge(host, [of('host', 'host', { hostname: 'x.test', ip: '192.0.2.9' })]);
  t.equal(await host.must(label('/etc/hosts')), before);

  const labelled = [
    of('file', 'file', { target_path: '/srv/www/page', content: 'second\n', secontext: odd }),
    of('new', 'file', { target_path: '/srv/www/new', content: 'new', secontext: webLabel }),
  ];
  await round(t, host, labelled, { file: 'updated', new: 'created' });
  t.equal((await host.must(label('/srv/www/page'))).trim(), odd);
  await host.must(['chcon', '-t', 'tmp_t', '/srv/www/page', '/srv/www/new']);
  await round(t, host, labelled, { file: 'updated', new: 'updated' });
  t.equal((await host.must(label('/srv/www/new'))).trim(), webLabel);
}

const policy: readonly LabResource[] = [
  of('mode', 'selinux', { mode: 'enforcing' }),
  of('boolean', 'selinux', { boolean: 'httpd_can_network_connect' }),
  of('label', 'selinux', { path: '/srv/site(/.*)?', selinux_type: 'httpd_sys_content_t' }),
  of('context', 'selinux', { path: '/srv/site/one', context: odd }),
  of('port', 'selinux', { port: '18081', selinux_type: 'http_port_t' }),
];
const stateCommand = [
  'sh',
  '-c',
  `getenforce; getsebool httpd_can_network_connect; stat -c '%C' /srv/site/index /srv/site/one
  semanage port -l | grep -c '^http_port_t .*18081'; matchpathcon -n /srv/site/other`,
];
const wanted = `Enforcing
httpd_can_network_connect --> on
system_u:object_r:httpd_sys_content_t:s0
${odd}
1
system_u:object_r:httpd_sys_content_t:s0
`;

/** The whole type, on the policy that Debian ships. */
export async function policyIsKept(t: Test, host: KernelHost): Promise<void> {
  await host.must(['sh', '-ec', 'mkdir /srv/site; touch /srv/site/index /srv/site/one']);
  const first: Expected = {
    ...{ boolean: 'updated', label: 'created', context: 'updated', port: 'created' },
  };
  await round(t, host, policy, first);
  t.equal(await host.must(stateCommand), wanted);
  const damage = `setenforce 0; sed -i s/=enforcing/=permissive/ /etc/selinux/config
    setsebool httpd_can_network_connect 0; chcon -R -t tmp_t /srv/site`;
  await host.must(['sh', '-ec', damage]);
  const repaired: Expected = {
    ...{ mode: 'updated', boolean: 'updated', label: 'updated', context: 'updated' },
  };
  await round(t, host, policy, repaired);
  t.match(await host.must(['getenforce']), 'Enforcing');
  const absent = { state: 'absent' };
  const removal = [
    of('boolean', 'selinux', { boolean: 'httpd_can_network_connect', ...absent }),
    of('label', 'selinux', { path: '/srv/site(/.*)?', ...absent }),
    of('port', 'selinux', { port: '18081', ...absent }),
  ];
  await round(t, host, removal, { boolean: 'deleted', label: 'deleted', port: 'deleted' });
  const denied = await host.run(['sh', '-c', 'dmesg | grep "avc: *denied" | grep -i vigo']);
  t.equal(denied.stdout, '', 'nothing that the agent did was refused');
}
