import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  createAccountTypes,
  groupType,
  userType,
} from '../../../../agent/executors/unix/accounts.ts';
import { PasswordChecks } from '../../../../agent/platform/accounts/password-checks.ts';
import type { RunRequest } from '../../../../agent/platform/platform.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { accountFiles, accounts, accountTools } from '../../../support/simulated-accounts.ts';
import { arrange, simulatedMachine } from '../../../support/simulated-machine.ts';

const having =
  (files: Readonly<Record<string, string>> = {}) =>
  (root: string) =>
    arrange(root, { ...accountFiles, ...files });

const ann = {
  username: 'ann',
  uid: 1500,
  comment: 'Ann',
  shell: '/bin/bash',
  group: 'users',
  groups: 'adm',
  password: 'secret',
  password_max_age: 60,
};
const annFiles = {
  '/etc/passwd': `${accountFiles['/etc/passwd']}ann:x:1500:100:Ann:/home/ann:/bin/bash\n`,
  '/etc/group': 'root:x:0:\nusers:x:100:\nadm:x:4:ann\n',
  '/etc/shadow': `${accountFiles['/etc/shadow']}ann:$6$saltsalt$OItpM.7XXyc/9.TnSVZ1ZCSYQnCcZ7sN2nW0bjZq:20000:0:60:7:::\n`,
  '/home/ann/.bashrc': '',
};
const checks = new PasswordChecks();
const isAnn = (root: string, t: Test) => {
  const { users, groups, shadow } = accounts(root);
  t.match(users.get('ann'), { uid: 1500, gid: 100, comment: 'Ann', shell: '/bin/bash' });
  t.same(groups.get('adm')?.members, ['ann']);
  t.ok(checks.matches('secret', shadow.get('ann')?.hash ?? ''), 'the password works');
  t.equal(shadow.get('ann')?.maximumAge, 60);
  t.ok(existsSync(`${root}/home/ann`));
};

const userCases: readonly ExecutorCase[] = [
  { name: 'nobody there', parameters: ann, arrange: having(), action: 'created', check: isAnn },
  {
    name: 'another password, group, shell and no home',
    parameters: ann,
    arrange: (root) => {
      having({
        ...annFiles,
        '/etc/passwd': annFiles['/etc/passwd'].replace(':100:Ann', ':0:Bob'),
        '/etc/group': 'root:x:0:ann\nusers:x:100:\nadm:x:4:\n',
      })(root);
      rmSync(`${root}/home`, { recursive: true });
    },
    action: 'updated',
    check: isAnn,
  },
  {
    name: 'only what is declared is looked at',
    parameters: { username: 'ann' },
    arrange: having(annFiles),
    action: 'none',
  },
  {
    name: 'absent, with the home directory',
    parameters: { username: 'ann', state: 'absent' },
    arrange: having(annFiles),
    action: 'deleted',
    check: (root, t) => t.notOk(accounts(root).users.has('ann')),
  },
];

t.test('a user is what is declared, whatever was there', async (t) => {
  const calls: RunRequest[] = [];
  const platform = simulatedMachine(accountTools, calls);
  await proveExecutor(t, userType, userCases, { platform });
  t.ok(calls.some((call) => call.argv[0] === '/usr/sbin/chpasswd'));
  const words = JSON.stringify(calls.map((call) => call.argv));
  t.notMatch(words, /secret|\$6\$/, 'no password and no hash is ever in an argument list');
});

const staff = { group: 'staffers', gid: 1600, members: ['ann'] };
const groupCases: readonly ExecutorCase[] = [
  {
    name: 'nothing there',
    parameters: staff,
    arrange: having(annFiles),
    action: 'created',
    check: (root, t) =>
      t.match(accounts(root).groups.get('staffers'), { gid: 1600, members: ['ann'] }),
  },
  {
    name: 'another number and another member',
    parameters: staff,
    arrange: having({ ...annFiles, '/etc/group': 'users:x:100:\nstaffers:x:7:root\n' }),
    action: 'updated',
    check: (root, t) =>
      t.match(accounts(root).groups.get('staffers'), { gid: 1600, members: ['ann'] }),
  },
  {
    name: 'absent',
    parameters: { group: 'adm', state: 'absent' },
    arrange: having(),
    action: 'deleted',
    check: (root, t) => t.notOk(accounts(root).groups.has('adm')),
  },
];

t.test('a group is what is declared, whatever was there', (t) =>
  proveExecutor(t, groupType, groupCases, { platform: simulatedMachine(accountTools) }),
);

t.test('parameters that make no account are refused', async (t) => {
  const platform = simulatedMachine(accountTools);
  const users: readonly ExecutorCase['parameters'][] = [
    { username: '-x' },
    { username: 'a:b' },
    { uid: 'one' },
    { home: 'x' },
    { shell: 'x\ny' },
  ];
  await proveExecutor(t, userType, refusedCases({ username: 'ann' }, users), { platform });
  const groups: readonly ExecutorCase['parameters'][] = [
    { group: '-x' },
    { group: 'a:b' },
    { gid: -1 },
    { members: ['a b'] },
  ];
  await proveExecutor(t, groupType, refusedCases({ group: 'staff' }, groups), { platform });
});

t.test('a home directory that is not the user’s own stays when the user goes', async (t) => {
  const calls: RunRequest[] = [];
  const passwd = `${accountFiles['/etc/passwd']}web:x:33:33::/srv:/usr/sbin/nologin\n`;
  const row: ExecutorCase = {
    name: 'home /srv',
    parameters: { username: 'web', state: 'absent' },
    arrange: (root) => {
      having({ '/etc/passwd': passwd })(root);
      mkdirSync(`${root}/srv`);
    },
    action: 'deleted',
    check: (root, t) => t.ok(existsSync(`${root}/srv`)),
  };
  await proveExecutor(t, userType, [row], { platform: simulatedMachine(accountTools, calls) });
  t.notOk(calls.some((call) => call.argv.includes('--remove')));
});

t.test('the agent’s own directory cannot be removed as somebody’s home', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'vigo-guard-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const uid = process.getuid?.() || 1000;
  const line = `vigo:x:${uid}:0::/var/lib/vigo:/bin/sh\n`;
  having({ '/etc/passwd': accountFiles['/etc/passwd'] + line, '/var/lib/vigo/key': '' })(root);
  chownSync(`${root}/var/lib/vigo`, uid, -1);
  const platform = simulatedMachine(accountTools)(root);
  const context = {
    platform,
    triggered: false,
    signal: new AbortController().signal,
    snapshot: async () => undefined,
  };
  const spec = userType.parse({ username: 'vigo', state: 'absent' });
  const state = await userType.observe(spec, context);
  const drift = { action: 'deleted', reason: '' } as const;
  await t.rejects(userType.apply(spec, state, drift, context), { code: 'AGENT_GUARDRAIL' });
  t.ok(existsSync(`${root}/var/lib/vigo/key`));
});

t.test('whatever is declared, a line of an account file stays one line', async (t) => {
  const { userType } = createAccountTypes();
  const hostile = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('-rf', '--', 'a:0:0', 'a\nroot::0:0', '../etc', '$(id)', '/bin/sh:x', 'root '),
  );
  const names = ['username', 'comment', 'shell', 'home', 'group', 'groups', 'authorized_keys'];
  const record = fc.dictionary(fc.constantFrom(...names), hostile);
  fc.assert(
    fc.property(record, (values) => {
      try {
        const { authorizedKeys, password, ...spec } = userType.parse(values);
        t.equal(password, undefined);
        const texts = Object.values(spec)
          .flat()
          .filter((value) => typeof value === 'string');
        for (const text of texts) if (/[\n\r\0:]/.test(text)) throw new Error(JSON.stringify(text));
        if (!/^[A-Za-z_]/.test(spec.username)) throw new Error(spec.username);
        for (const key of authorizedKeys ?? [])
          if (/[\n\r\0]/.test(key)) throw new Error(JSON.stringify(key));
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
  );
});

t.test('a bad declaration is refused with every problem, and no value', async (t) => {
  const bad = {
    username: 'a:b',
    uid: -1,
    home: 'relative',
    shell: '/bin/../sh',
    password: 'top\nsecret',
    group: 'x',
    gid: 5,
  };
  t.throws(() => userType.parse(bad), {
    code: 'POLICY_PARAMETER_INVALID',
    message: /username.*home.*|uid/,
  });
  try {
    userType.parse(bad);
  } catch (error) {
    t.notMatch(String(error), /secret|a:b/);
    for (const name of ['username', 'uid', 'home', 'shell', 'password', 'gid'])
      t.match(String(error), new RegExp(`\\b${name}: `));
  }
  t.throws(() => userType.parse({ username: 'root', state: 'absent' }), /root cannot be removed/);
  t.throws(() => groupType.parse({ group: 'root', state: 'absent' }), /root cannot be removed/);
});
