import t from 'tap';
import { requires } from '../support/requires.ts';
import { repairs } from './cycle.ts';
import { type Lab, type LabHost, startLab } from './lab.ts';
import { convergeOne } from './resources.ts';

const skip = requires('root', 'linux', 'command:systemd-nspawn', 'command:mmdebstrap');

t.test('groups of a real Debian', { skip }, async (t) => {
  let lab: Lab;
  let host: LabHost;
  t.before(async () => {
    lab = await startLab();
    host = await lab.host('groups');
    await host.must(['sh', '-ec', 'useradd ann; useradd bob; useradd eve']);
  });
  t.teardown(() => lab.stop());
  const parameters = { group: 'staffers', gid: 4000, members: 'bob, ann' };
  const line = () => host.must(['getent', 'group', 'staffers']);

  t.test('a group is made with its number and members', async (t) => {
    await repairs(t, host, { type: 'group', parameters, action: 'created' });
    t.equal(await line(), 'staffers:x:4000:ann,bob\n');
  });

  for (const [what, damage] of [
    ['a member was added', 'gpasswd -a eve staffers >/dev/null'],
    ['a member was removed', 'gpasswd -d ann staffers >/dev/null'],
    ['the number was changed', 'groupmod -g 4001 staffers'],
  ] as const)
    t.test(`${what} by hand: undone`, async (t) => {
      await repairs(t, host, { type: 'group', parameters, damage, action: 'updated' });
      t.equal(await line(), 'staffers:x:4000:ann,bob\n');
    });

  t.test('an empty list of members empties the group', async (t) => {
    const empty = { ...parameters, members: [] };
    await repairs(t, host, { type: 'group', parameters: empty, action: 'updated' });
    t.equal(await line(), 'staffers:x:4000:\n');
  });

  t.test('a member that does not exist fails with its name', async (t) => {
    const unknown = await convergeOne(host, 'group', { ...parameters, members: ['nobody-here'] });
    t.match(unknown, { action: 'failed', errorCode: 'AGENT_USER_UNKNOWN', reason: /nobody-here/ });
  });

  t.test('a system group gets a system number, and goes when absent', async (t) => {
    const system = { group: 'lab-system', system: true };
    await repairs(t, host, { type: 'group', parameters: system, action: 'created' });
    const gid = Number((await host.must(['getent', 'group', 'lab-system'])).split(':')[2]);
    t.ok(gid < 1000);
    const absent = { group: 'lab-system', state: 'absent' };
    await repairs(t, host, { type: 'group', parameters: absent, action: 'deleted' });
  });
});
