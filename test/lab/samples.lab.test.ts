import t, { type Test } from 'tap';
import { requires } from '../support/requires.ts';
import { publishPackages, type TestPackage } from './apt-repository.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { converge, type LabOptions, type LabResource } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

/** A small nginx: a service that reads its configuration when it starts. */
const nginx: TestPackage = {
  name: 'nginx',
  version: '1.22.1-9',
  files: {
    '/etc/nginx/nginx.conf': 'worker_connections 768;\n',
    '/usr/lib/systemd/system/nginx.service': `[Service]
ExecStart=/bin/sh -c 'cp /etc/nginx/nginx.conf /run/nginx.started; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`,
  },
  configuration: ['/etc/nginx/nginx.conf'],
};

const web: readonly LabResource[] = [
  { name: 'Install nginx', type: 'package', parameters: { package: 'nginx' } },
  {
    name: 'Nginx config',
    type: 'file',
    notify: ['Restart nginx'],
    parameters: {
      target_path: '/etc/nginx/nginx.conf',
      owner: 'root',
      group: 'root',
      mode: '0644',
      source: 'templates/nginx.conf.tmpl',
    },
  },
  {
    name: 'Restart nginx',
    type: 'service',
    when: 'changed',
    parameters: { service: 'nginx', state: 'restarted', enabled: 'true' },
  },
];
const webOptions: LabOptions = {
  vars: { worker_connections: 1024 },
  templates: {
    'templates/nginx.conf.tmpl':
      '# {{ .Traits.os.distro }}\nworker_connections {{ .Vars.worker_connections }};\n',
  },
};
const wanted = '# debian\nworker_connections 1024;\n';

const conditional: readonly LabResource[] = [
  {
    name: 'Install apt-transport-https',
    type: 'package',
    when: "os_family('debian')",
    parameters: { package: 'apt-transport-https' },
  },
  {
    name: 'Install epel-release',
    type: 'package',
    when: "os_family('redhat')",
    parameters: { package: 'epel-release' },
  },
];

const compose: readonly LabResource[] = [
  {
    name: 'App compose file',
    type: 'file',
    notify: ['App stack'],
    parameters: {
      target_path: '/opt/myapp/docker-compose.yml',
      owner: 'root',
      group: 'root',
      mode: '0644',
      content: 'services:\n  web:\n    image: nginx:latest\n    ports: ["80:80"]\n',
    },
  },
  {
    name: 'App stack',
    type: 'exec',
    when: 'changed',
    parameters: { command: 'echo up >> /run/stack.log' },
  },
];

t.test('the samples of the overview on a real Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  t.before(async () => {
    lab = await startLab();
    host = await lab.host('samples');
    await publishPackages(host, [nginx, { name: 'apt-transport-https', version: '2.6' }]);
  });
  t.teardown(() => lab.stop());

  /** The actions of a pass that changes things, then of one that must not. */
  async function settles(t: Test, resources: readonly LabResource[], options: LabOptions = {}) {
    const first = await converge(host, resources, options);
    t.same(first.summary.failed + first.summary.blocked, 0, JSON.stringify(first.resources));
    const second = await converge(host, resources, options);
    t.equal(second.state, 'converged', JSON.stringify(second.resources));
    return first.resources.map((outcome) => outcome.action);
  }

  t.test('package, configuration and service', async (t) => {
    t.same(await settles(t, web, webOptions), ['created', 'updated', 'updated']);
    t.equal(await host.must(['cat', '/run/nginx.started']), wanted, 'it runs with the new file');
    t.equal(await host.must(['systemctl', 'is-enabled', 'nginx']), 'enabled\n');
  });

  for (const [damage, actions] of [
    ['echo "worker_connections 1;" > /etc/nginx/nginx.conf', ['none', 'updated', 'updated']],
    ['rm /etc/nginx/nginx.conf', ['none', 'created', 'updated']],
    ['chmod 600 /etc/nginx/nginx.conf', ['none', 'updated', 'updated']],
    ['apt-get -qy purge nginx >/dev/null', ['created', 'updated', 'updated']],
  ] as const)
    t.test(`repaired: ${damage}`, async (t) => {
      await host.must(['sh', '-ec', damage]);
      t.same(await settles(t, web, webOptions), actions);
      t.equal(await host.must(['cat', '/run/nginx.started']), wanted);
    });

  t.test('conditional resources', async (t) => {
    t.same(await settles(t, conditional), ['created', 'skipped']);
    await host.must(['sh', '-ec', 'apt-get -qy remove apt-transport-https >/dev/null']);
    t.same(await settles(t, conditional), ['created', 'skipped']);
  });

  t.test('a file that triggers', async (t) => {
    t.same(await settles(t, compose), ['created', 'updated']);
    t.equal(await host.must(['cat', '/run/stack.log']), 'up\n', 'once');
    await host.must(['sh', '-ec', 'echo >> /opt/myapp/docker-compose.yml']);
    t.same(await settles(t, compose), ['updated', 'updated']);
    t.equal(await host.must(['cat', '/run/stack.log']), 'up\nup\n', 'and once more');
  });
});
