import t from 'tap';
import type { Target } from '../../../agent/executors/contract.ts';
import { checkTarget, guardLayout } from '../../../agent/policy/guardrails.ts';

const layout = guardLayout(['/home/demo/state']);
const refused = (kind: Target['kind'], value: string, effect: Target['effect']) =>
  checkTarget({ kind, value, effect }, layout) !== undefined;

t.test('no path reaches the files of the agent or the server', (t) => {
  for (const path of [
    '/etc/vigo-envoy/agent.json',
    '/etc/vigo-envoy',
    '/etc/nginx/../vigo/x',
    '/ETC/Vigo/x',
    '//etc/./vigo//x',
    '/etc/vig*/x',
    '/etc/**',
    '/etc/{vigo,nginx}/x',
    '/srv/vigo/stockpile/x.vgo',
    '/home/demo/state/lmdb',
    '/usr/local/sbin/vigo',
  ]) {
    t.ok(refused('path', path, 'write'), path);
  }
  for (const path of ['/', '/etc', '/var/lib', '/home/demo', '/usr/local']) {
    t.ok(refused('path', path, 'remove'), `removing ${path}`);
    t.notOk(refused('path', path, 'write'), `using ${path}`);
  }
  for (const path of ['/etc/vigorous', '/etc/nginx/nginx.conf', '/srv/www', '/etc/motd']) {
    t.notOk(refused('path', path, 'write'), path);
    t.notOk(refused('path', path, 'remove'), path);
  }
  t.end();
});

t.test('the agent and the server keep running and stay installed', (t) => {
  t.ok(refused('service', 'vigo-envoy', 'stop'));
  t.ok(refused('service', 'VIGOSRV.service', 'stop'));
  t.ok(refused('service', 'vigo*', 'stop'));
  t.notOk(refused('service', 'vigo-envoy', 'write'));
  t.notOk(refused('service', 'nginx', 'stop'));
  t.ok(refused('package', 'vigo', 'remove'));
  t.ok(refused('package', 'vigosrv=1.0', 'remove'));
  t.ok(refused('package', '*', 'remove'));
  t.notOk(refused('package', 'vigo', 'write'));
  t.notOk(refused('package', 'nginx', 'remove'));
  t.end();
});

t.test('no command text harms Vigo', (t) => {
  for (const command of [
    'systemctl stop vigo-envoy',
    'sudo systemctl disable --now vigosrv.service',
    'true; /bin/systemctl mask vigo*',
    'service vigo-envoy stop',
    'pkill -9 vigo',
    "killall 'vigosrv'",
    'pkill -f "v.go"',
    'rm -rf /etc/vigo-envoy',
    'rm -rf /etc/vig*',
    'rm -rf /etc/',
    'rm -rf / ',
    'cd / && sudo -n rm -f "/usr/local/sbin/vigo"',
    'echo x > /etc/vigo/x',
    'echo x >>/srv/vigo/server.yaml',
    'cat x | tee /etc/vigo-envoy/agent.json',
    "sh -c 'rm /srv/vigo/db/vigo.db'",
    'bash -c "systemctl stop vigosrv"',
    'echo $(unlink /var/lib/vigo/lock)',
    'dd if=/dev/zero of=/usr/local/sbin/vigosrv',
    'apt-get remove -y vigo',
    'dpkg --purge vigosrv',
    'chmod -R 000 /var',
    "r\\m -r '/etc/'vigo",
    'FOO=1 nice -n 5 rm -r /etc/vigo',
  ]) {
    t.ok(refused('command', command, 'run'), command);
  }
  for (const command of [
    'systemctl restart nginx',
    'systemctl stop nginx',
    'systemctl status vigo-envoy',
    'cat /etc/vigo-envoy/agent.json',
    'rm -rf /tmp/build',
    'pkill nginx',
    'apt-get install vigo',
    'apt-get remove nginx',
    'echo vigo > /etc/motd',
    'test -d /etc/vigo && echo yes',
    'chmod 755 /var',
  ]) {
    t.notOk(refused('command', command, 'run'), command);
  }
  t.end();
});
