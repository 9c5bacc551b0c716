import { chmodSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { cronType } from '../../../../agent/executors/unix/cron.ts';
import { scheduleProblem } from '../../../../agent/executors/unix/cron-schedule.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';

const job = '/etc/cron.d/backup';
const parameters = { name: 'backup', schedule: '@daily', command: '/usr/bin/backup --all' };
const content =
  '# Managed by vigo; changes made here are undone.\n@daily root /usr/bin/backup --all\n';
const having =
  (text: string, mode = 0o644) =>
  (root: string) => {
    mkdirSync(`${root}/etc/cron.d`, { recursive: true });
    writeFileSync(`${root}${job}`, text);
    chmodSync(`${root}${job}`, mode);
  };
const isRight = (root: string, t: Test) => {
  t.equal(readFileSync(`${root}${job}`, 'utf8'), content);
  const status = lstatSync(`${root}${job}`);
  t.ok(status.isFile());
  t.equal(status.mode & 0o7777, 0o644, 'else cron ignores it');
};

const cases: readonly ExecutorCase[] = [
  { name: 'nothing there', parameters, action: 'created', check: isRight },
  { name: 'as declared', parameters, arrange: having(content), action: 'none' },
  { name: 'edited', parameters, arrange: having(`${content}#`), action: 'updated', check: isRight },
  {
    name: 'writable by all',
    parameters,
    arrange: having(content, 0o666),
    action: 'updated',
    check: isRight,
  },
  {
    name: 'a link',
    parameters,
    arrange: (root) => {
      mkdirSync(`${root}/etc/cron.d`, { recursive: true });
      symlinkSync('/etc/passwd', `${root}${job}`);
    },
    action: 'updated',
    check: isRight,
  },
  {
    name: 'a directory that is not empty is left alone',
    parameters,
    arrange: (root) => mkdirSync(`${root}${job}/x`, { recursive: true }),
    action: 'failed',
    errorCode: 'AGENT_PATH_OCCUPIED',
  },
  {
    name: 'absent',
    parameters: { name: 'backup', state: 'absent' },
    arrange: having(content),
    action: 'deleted',
    check: (root, t) => t.notOk(lstatSync(`${root}${job}`, { throwIfNoEntry: false })),
  },
  {
    name: 'absent already',
    parameters: { name: 'backup', state: 'absent' },
    action: 'none',
  },
];

t.test('a job is what is declared, whatever was there', (t) => proveExecutor(t, cronType, cases));

t.test('parameters that make no job are refused', (t) =>
  proveExecutor(
    t,
    cronType,
    refusedCases({ name: 'job', command: 'true', schedule: '@daily' }, [
      { name: '../x' },
      { command: '' },
      { command: 'a\nb' },
      { schedule: 'soon' },
      { user: 'a b' },
    ]),
  ),
);

t.test('fields and environment are rendered as cron reads them', async (t) => {
  const spec = cronType.parse({
    name: 'x',
    minute: '5',
    weekday: '1-5',
    command: 'a % b',
    environment: ['A=1, 2', 'B='],
  });
  t.match(spec, {
    content: /\nA=1, 2\nB=\n5 \* \* \* 1-5 root a % b\n$/,
  });
});

t.test('what would never run, or run something else, is refused', async (t) => {
  const refused: readonly Record<string, string>[] = [
    { name: 'a.b', command: 'x' },
    { name: '../x', command: 'x' },
    { name: 'x' },
    { name: 'x', command: 'a\nb' },
    { name: 'x', command: 'a', user: 'root x' },
    { name: 'x', command: 'a', schedule: '@sometimes' },
    { name: 'x', command: 'a', schedule: '60 * * * *' },
    { name: 'x', command: 'a', minute: '* * * * * root evil #' },
    { name: 'x', command: 'a', environment: 'A=1\n* * * * * root evil' },
    { name: 'x', command: 'a', colour: 'red' },
  ];
  for (const parameters of refused)
    t.throws(() => cronType.parse(parameters), { code: 'POLICY_PARAMETER_INVALID' });
});

t.test('schedules', async (t) => {
  for (const good of ['* * * * *', '*/5 0-6/2 1,15 jan-mar MON', '0 0 1 1 7', '@reboot'])
    t.equal(scheduleProblem(good), undefined, good);
  for (const bad of ['', '* * * *', '5-1 * * * *', '*/0 * * * *', '1/2 * * * *', '* * 0 * *', '@x'])
    t.type(scheduleProblem(bad), 'string', bad);
});

t.test('no declaration makes more than its own line', async (t) => {
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constant('x\n* * * * * root y'),
  );
  fc.assert(
    fc.property(
      fc.record({ name: value, command: value, minute: value, user: value }),
      (values) => {
        try {
          const { content, path } = cronType.parse(values);
          t.match(path, /^\/etc\/cron\.d\/[\w-]+$/);
          const lines = content!.split(/[\n\r]/);
          if (lines.length !== 3) throw new Error(JSON.stringify(content));
        } catch (error) {
          if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
        }
      },
    ),
  );
});
