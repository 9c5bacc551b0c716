import t from 'tap';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const file = '/etc/cron.d/lab-job';
const parameters = {
  name: 'lab-job',
  schedule: '*/5 1-3 * jan mon',
  command: 'echo "a b" > /tmp/x',
  user: 'daemon',
  environment: 'MAILTO=root,LAB=1',
};
const content = `# Managed by vigo; changes made here are undone.
MAILTO=root
LAB=1
*/5 1-3 * jan mon daemon echo "a b" > /tmp/x
`;

t.test('jobs of a real cron', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  t.before(async () => {
    lab = await startLab();
    host = await lab.host('cron');
  });
  t.teardown(() => lab.stop());

  t.test('a job is written as cron wants it', async (t) => {
    await repairs(t, host, { type: 'cron', parameters, action: 'created' });
    t.equal(await host.must(['cat', file]), content);
  });

  for (const [what, damage] of [
    ['edited', `echo '* * * * * root reboot' >> ${file}`],
    ['emptied', `: > ${file}`],
    ['given to a user', `chown daemon ${file}`],
    ['made writable', `chmod 666 ${file}`],
    ['replaced by a link', `mv ${file} /root/job; ln -s /root/job ${file}`],
    ['replaced by a directory', `rm ${file}; mkdir ${file}`],
  ] as const)
    t.test(`a job that was ${what} is put back`, async (t) => {
      await repairs(t, host, { type: 'cron', parameters, damage, action: 'updated' });
      t.equal(await host.must(['cat', file]), content);
      t.equal(await host.must(['stat', '-c', '%F %a %u:%g', file]), 'regular file 644 0:0\n');
    });

  t.test('cron itself runs the job', async (t) => {
    const soon = { name: 'lab-now', command: 'touch /run/lab-cron-ran', schedule: '@reboot' };
    await repairs(t, host, { type: 'cron', parameters: soon, action: 'created' });
    await host.must(['sh', '-ec', 'rm -f /run/crond.reboot; systemctl restart cron']);
    const wait =
      'for i in $(seq 100); do [ -e /run/lab-cron-ran ] && exit; sleep 0.05; done; exit 1';
    t.equal((await host.run(['sh', '-c', wait])).exitCode, 0);
  });

  t.test('a deleted job comes back, an absent one goes', async (t) => {
    const damage = `rm ${file}`;
    await repairs(t, host, { type: 'cron', parameters, damage, action: 'created' });
    const absent = { name: 'lab-job', state: 'absent' };
    await repairs(t, host, { type: 'cron', parameters: absent, action: 'deleted' });
    t.equal((await host.run(['test', '-e', file])).exitCode, 1);
  });
});
