import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { resourceTypes, typeRegistry } from '../../../agent/executors/registry.ts';
import { createAccountTypes } from '../../../agent/executors/unix/accounts.ts';
import { createPackageType } from '../../../agent/executors/unix/package.ts';
import { createServiceType } from '../../../agent/executors/unix/service.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import type { Platform } from '../../../agent/platform/platform.ts';
import { fc } from '../../support/property.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

type Resources = readonly ResourceInput[];

function inRoot<T>(run: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'vigo-foresight-'));
  return run(root).finally(() => rmSync(root, { recursive: true, force: true }));
}

async function actionsOf(
  platform: Platform,
  resources: Resources,
  dryRun: boolean,
  types = resourceTypes,
) {
  const engine = createEngine({ platform, registry: types });
  const document = bundle([module('m', resources)]);
  const result = await engine.pass({ document, traits: {}, dryRun });
  return result.resources.map(({ id, action, errorCode }) => `${id} ${action} ${errorCode}`);
}

const paths = ['/a', '/a/b', '/a/b/c', '/d', '/d/e', '/link', '/link/f', '/d/link/g', '/d/link'];
const path = fc.constantFrom(...paths);
const state = fc.constantFrom('present', 'absent');
const content = fc.constantFrom('one\n', 'two\n', '');
const mode = fc.constantFrom('0644', '0600', '0755');
const declared = fc.oneof(
  fc.record({ type: fc.constant('file'), target_path: path, state, content, mode }),
  fc.record({ type: fc.constant('directory'), target_path: path, state, mode }),
  fc.record({ type: fc.constant('file_line'), target_path: path, state, line: fc.constant('two') }),
  fc.record({
    type: fc.constant('symlink'),
    target_path: path,
    state,
    to: fc.constantFrom('/d', '/a/b', 'b', '../a'),
    force: fc.boolean(),
  }),
);
/** Some are only there when another path is, or wait for the one before them. */
const resources = fc.array(
  fc.tuple(declared, fc.constantFrom('none', 'exists', 'directory', 'changed'), path),
  { minLength: 1, maxLength: 7 },
);

t.test(
  'whatever files, directories and links come after each other, the prediction is what happens',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(resources, resources, async (before, wanted) => {
        await inRoot(async (root) => {
          const platform = createNodePlatform({ root });
          await actionsOf(platform, toResources(before), false);
          const predicted = await actionsOf(platform, toResources(wanted), true);
          const actual = await actionsOf(platform, toResources(wanted), false);
          t.same(predicted, actual);
        });
      }),
      { numRuns: 150 },
    );
  },
);

function toResources(drawn: readonly (readonly [{ type: string }, string, string])[]): Resources {
  return drawn.map(([{ type, ...parameters }, condition, other], index): ResourceInput => {
    const conditions: Record<string, string> = {
      exists: `file_exists('${other}')`,
      directory: `dir_exists('${other}')`,
      changed: 'changed',
    };
    const when = conditions[condition];
    const subscribes = condition === 'changed' && index > 0 ? [`r${index - 1}`] : [];
    return {
      name: `r${index}`,
      type,
      parameters,
      subscribes,
      ...(when === undefined ? {} : { when }),
    };
  });
}

/** Nothing that starts a process may do so in a dry run, except to look. */
function machine(root: string, started: string[]): Platform {
  const node = createNodePlatform({ root });
  for (const directory of ['etc', 'usr/sbin', 'usr/bin', 'run/systemd/system', 'var/lib/dpkg'])
    mkdirSync(join(root, directory), { recursive: true });
  for (const file of ['usr/sbin/useradd', 'usr/bin/apt-get', 'usr/bin/dpkg', 'var/lib/dpkg/status'])
    writeFileSync(join(root, file), '');
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  return {
    ...node,
    paths: {
      root: '/',
      confined: false,
      resolve: (given, options) => node.paths.resolve(given, options),
      declared: (real) => node.paths.declared(real),
    },
    processes: {
      signal: async () => false,
      run: async ({ argv }) => {
        started.push(argv.join(' '));
        const stdout = argv.includes('show') ? 'LoadState=not-found\nActiveState=inactive\n' : '';
        const ended = { exitCode: argv[0] === 'getent' ? 2 : 0, signal: undefined };
        return { ...ended, stdout, stderr: '', timedOut: false, truncated: false };
      },
    },
  };
}

const accounts = createAccountTypes();
const types = typeRegistry([
  ...resourceTypes.values(),
  accounts.userType,
  accounts.groupType,
  createPackageType(),
  createServiceType(),
]);

t.test(
  'what accounts, packages and unit files would bring is foreseen, and nothing is started',
  async (t) => {
    await inRoot(async (root) => {
      const started: string[] = [];
      const platform = machine(root, started);
      const owned = { target_path: '/srv/data', content: 'x', owner: 'app', group: 'staff' };
      const unit = { target_path: '/etc/systemd/system/own.service', content: '[Service]\n' };
      const chain: Resources = [
        { name: 'staff', type: 'group', parameters: { group: 'staff' } },
        { name: 'app', type: 'user', parameters: { username: 'app', groups: 'staff' } },
        { name: 'data', type: 'file', parameters: owned },
        { name: 'home', type: 'file', parameters: { target_path: '/home/app/x', content: 'x' } },
        { name: 'unit', type: 'file', parameters: unit },
        { name: 'own', type: 'service', parameters: { service: 'own' } },
        {
          name: 'early',
          type: 'file_line',
          parameters: { target_path: '/etc/web.conf', line: 'a' },
        },
      ];
      t.same(await actionsOf(platform, chain, true, types), [
        'm/staff created ',
        'm/app created ',
        'm/data created ',
        'm/home created ',
        'm/unit created ',
        'm/own updated ',
        'm/early failed AGENT_PATH_MISSING',
      ]);
      const web: Resources = [
        {
          name: 'lost',
          type: 'file_line',
          parameters: { target_path: '/etc/web.conf', line: 'a' },
        },
        { name: 'alien', type: 'file', parameters: { ...owned, owner: 'nobody-knows' } },
        { name: 'ghost', type: 'service', parameters: { service: 'ghost' } },
        { name: 'web', type: 'package', parameters: { package: 'web' }, dependsOn: [] },
        {
          name: 'line',
          type: 'file_line',
          parameters: { target_path: '/etc/web.conf', line: 'a' },
          dependsOn: ['web'],
          notify: ['again'],
        },
        {
          name: 'web-service',
          type: 'service',
          parameters: { service: 'web' },
          dependsOn: ['web'],
        },
        {
          name: 'again',
          type: 'service',
          parameters: { service: 'web', state: 'restarted' },
          when: 'changed',
        },
      ];
      const told = await actionsOf(platform, web, true, types);
      t.same(told, [
        'm/lost failed AGENT_PATH_MISSING',
        'm/alien failed AGENT_USER_UNKNOWN',
        'm/ghost failed AGENT_SERVICE_UNKNOWN',
        'm/web created ',
        'm/line updated ',
        'm/web-service none ',
        'm/again updated ',
      ]);
      t.match(readFileSync(join(root, 'etc/passwd'), 'utf8'), /^root:[^\n]*\n$/, 'memory only');
      const looks =
        /^(\/usr\/bin\/systemctl (show|is-enabled)|getent|dpkg-query|\/usr\/bin\/(dpkg|apt))/;
      for (const command of started) t.match(command, looks, 'only looked');
    });
  },
);

t.test('a home directory is foreseen as useradd makes it on this machine', async (t) => {
  const home: Resources = [
    { name: 'app', type: 'user', parameters: { username: 'app', system: true } },
    {
      name: 'home',
      type: 'directory',
      parameters: { target_path: '/home/app', mode: '0755' },
      dependsOn: ['app'],
    },
    {
      name: 'shell',
      type: 'file',
      parameters: { target_path: '/home/app/.bashrc', content: 'own\n' },
      dependsOn: ['app'],
    },
  ];
  for (const [settings, action] of [
    ['UMASK\t\t022\n#HOME_MODE\t0700\n', 'none'],
    ['UMASK 027\n', 'updated'],
    ['UMASK 022\nHOME_MODE 0700\n', 'updated'],
    ['', 'none'],
  ]) {
    await inRoot(async (root) => {
      const platform = machine(root, []);
      mkdirSync(join(root, 'etc/skel'));
      writeFileSync(join(root, 'etc/skel/.bashrc'), 'standard\n');
      writeFileSync(join(root, 'etc/login.defs'), settings!);
      t.same(await actionsOf(platform, home, true, types), [
        'm/app created ',
        `m/home ${action} `,
        'm/shell updated ',
      ]);
    });
  }
});
