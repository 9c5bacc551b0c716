import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { logrotateType } from '../../../../agent/executors/linux/logrotate.ts';
import { proveExecutor, refusedCases } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { arrange } from '../../../support/simulated-machine.ts';

const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const header = '# Managed by vigo; changes made here are undone.\n';
const gone = (path: string) => (root: string, t: Test) => t.notOk(existsSync(root + path));
const holds = (path: string, text: string) => (root: string, t: Test) =>
  t.equal(readFileSync(root + path, 'utf8'), text);

const logs = '/etc/logrotate.d/app';
const rotated = `${header}"/var/log/a b/*.log" "/var/log/c" {
    daily
    rotate 14
    compress
    delaycompress
    missingok
    notifempty
    size 100M
    create 0640 www-data adm
    postrotate
        kill -HUP "$(cat /run/app.pid)"
        true
    endscript
}
`;
const app = {
  name: 'app',
  path: ['/var/log/a b/*.log', '/var/log/c'],
  frequency: 'daily',
  rotate: 14,
  size: '100M',
  create: '0640 www-data adm',
  postrotate: 'kill -HUP "$(cat /run/app.pid)"\ntrue\n',
};

t.test('rotation is what is declared', (t) =>
  proveExecutor(
    t,
    logrotateType,
    [
      { name: 'from nothing', parameters: app, action: 'created', check: holds(logs, rotated) },
      {
        name: 'as declared',
        parameters: app,
        arrange: having({ [logs]: rotated }),
        action: 'none',
      },
      {
        name: 'edited',
        parameters: app,
        arrange: having({ [logs]: 'x' }),
        action: 'updated',
        check: holds(logs, rotated),
      },
      {
        name: 'readable by nobody else',
        parameters: app,
        arrange: (root) => {
          arrange(root, { [logs]: rotated });
          chmodSync(root + logs, 0o600);
        },
        action: 'updated',
        reason: /mode 600, not 644/,
      },
      {
        name: 'a link',
        parameters: app,
        arrange: (root) => {
          arrange(root, { '/etc/logrotate.d/x': '' });
          symlinkSync('x', root + logs);
        },
        action: 'updated',
        check: holds(logs, rotated),
      },
      {
        name: 'everything off',
        parameters: {
          name: 'app',
          path: '/x',
          compress: false,
          missingok: false,
          notifempty: false,
          copytruncate: true,
        },
        action: 'created',
        check: holds(
          logs,
          `${header}"/x" {\n    weekly\n    rotate 4\n    nocompress\n    nomissingok\n    ifempty\n    copytruncate\n}\n`,
        ),
      },
      {
        name: 'absent',
        parameters: { name: 'app', state: 'absent' },
        arrange: having({ [logs]: rotated }),
        action: 'deleted',
        check: gone(logs),
      },
      { name: 'absent already', parameters: { name: 'app', state: 'absent' }, action: 'none' },
      ...refusedCases(app, [
        { path: '' },
        { path: '/a"b' },
        { path: 'a' },
        { name: '../x' },
        { size: '1T' },
        { create: '0640 a b c' },
        { postrotate: 'a\nendscript\n}\n/etc/shadow {' },
        { rotate: -1 },
      ]),
    ],
    { interrupted: 'first-of-each-action' },
  ),
);

t.test('no declared value ends the block of a rotation', async () => {
  const value = fc.string({ unit: fc.constantFrom('a', '/', '"', '\\', '{', '}', '\n', ' ', "'") });
  fc.assert(
    fc.property(value, value, (path, size) => {
      try {
        const { content } = logrotateType.parse({ name: 'x', path: `/${path}`, size });
        if (content!.split('\n').filter((line) => line === '}' || line.endsWith(' {')).length !== 2)
          throw new Error(JSON.stringify(content));
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
