import t from 'tap';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { converge, convergeOne } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0 ann@desk';
const password = 'correct horse: $(reboot) `"\'';
const parameters = {
  username: 'ann',
  uid: 3000,
  shell: '/bin/bash',
  home: '/home/ann',
  comment: 'Ann "The" O\'Neil; $(id)',
  groups: ['adm', 'users'],
  password,
  password_max_age: 90,
  authorized_keys: [key],
};
const keys = '/home/ann/.ssh/authorized_keys';

t.test('users of a real Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  const sh = (text: string) => host.must(['sh', '-ec', text]);
  t.before(async () => {
    lab = await startLab();
    host = await lab.host('users');
  });
  t.teardown(() => lab.stop());

  t.test('a user is made with everything declared', async (t) => {
    await repairs(t, host, { type: 'user', parameters, action: 'created' });
    t.equal(
      await sh('getent passwd ann'),
      'ann:x:3000:3000:Ann "The" O\'Neil; $(id):/home/ann:/bin/bash\n',
    );
    t.match(await sh('id -nG ann'), /^ann adm users\n$/);
    t.equal(
      await sh(`cat ${keys}; stat -c %a:%U ${keys} /home/ann/.ssh`),
      `${key}\n600:ann\n700:ann\n`,
    );
    t.equal(await sh('ls -A /home/ann | grep -c bash'), '2\n', 'the skeleton files are there');
  });

  t.test('the password works, as the C library checks it', async (t) => {
    const check = `my $h = (getpwnam "ann")[1]; chomp(my $p = <STDIN>);
      print crypt($p, $h) eq $h ? "yes" : "no"`;
    t.equal(await host.must(['perl', '-e', check], `${password}\n`), 'yes');
  });

  for (const [what, damage] of [
    ['the shell', 'usermod -s /bin/sh ann'],
    ['the comment', 'usermod -c "" ann'],
    ['a supplementary group', 'gpasswd -d ann adm >/dev/null; gpasswd -a ann games >/dev/null'],
    ['the user id', 'usermod -u 3001 ann'],
    ['the home directory', 'usermod -d /home/other ann'],
    ['the password', 'echo ann:other | chpasswd'],
    ['the maximum age of the password', 'chage -M 99999 ann'],
    ['a key that was added', `echo ssh-rsa AAAA thief >> ${keys}`],
    ['the key file', `rm -r /home/ann/.ssh`],
    ['rights of the key file', `chmod 666 ${keys}`],
    ['the key file as a link', `rm ${keys}; ln -s /etc/hostname ${keys}`],
    ['the whole home directory', 'rm -r /home/ann'],
  ] as const)
    t.test(`${what} changed by hand: put back`, async (t) => {
      await repairs(t, host, { type: 'user', parameters, damage, action: 'updated' });
      t.equal(await sh(`cat ${keys}; stat -c %a ${keys}`), `${key}\n600\n`);
    });

  t.test('a link in the home directory does not lead the agent elsewhere', async (t) => {
    await sh('rm -r /home/ann/.ssh; mkdir /root/target; ln -s /root/target /home/ann/.ssh');
    const refused = await convergeOne(host, 'user', parameters);
    t.match(refused, { action: 'failed', errorCode: 'AGENT_ACCOUNT_FAILED' });
    t.equal(await sh('ls -A /root/target'), '', 'nothing was written behind the link');
    await sh('rm /home/ann/.ssh');
  });

  t.test('no outcome, diff or process ever shows the password', async (t) => {
    const result = await converge(host, [
      { type: 'user', parameters: { ...parameters, password: 'topsecret-1' } },
      {
        type: 'user',
        parameters: { ...parameters, username: 'bad:name', password: 'topsecret-2' },
      },
    ]);
    t.notMatch(JSON.stringify(result), /topsecret|\$6\$/);
    t.match(result.resources[1], { action: 'failed', errorCode: 'POLICY_PARAMETER_INVALID' });
  });

  t.test('an unknown group fails with its name', async (t) => {
    const unknown = await convergeOne(host, 'user', { username: 'bob', group: 'no-such' });
    t.match(unknown, { action: 'failed', errorCode: 'AGENT_GROUP_UNKNOWN', reason: /no-such/ });
  });

  t.test('a system user without a home, then gone', async (t) => {
    const system = {
      username: 'labd',
      system: true,
      manage_home: false,
      home: '/nonexistent',
      shell: '/usr/sbin/nologin',
    };
    await repairs(t, host, { type: 'user', parameters: system, action: 'created' });
    t.ok(Number(await sh('id -u labd')) < 1000);
    const absent = { username: 'labd', state: 'absent' };
    await repairs(t, host, { type: 'user', parameters: absent, action: 'deleted' });
  });

  t.test('removal takes the home directory unless told otherwise', async (t) => {
    const absent = { username: 'ann', state: 'absent', manage_home: true };
    await repairs(t, host, { type: 'user', parameters: absent, action: 'deleted' });
    t.equal(await sh('ls /home'), '');
  });
});
