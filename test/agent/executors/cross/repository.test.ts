import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { AgentError } from '../../../../agent/errors.ts';
import { createRepositoryType } from '../../../../agent/executors/cross/repository.ts';
import {
  repositoryProblem,
  withInclude,
} from '../../../../agent/executors/cross/repository-files.ts';
import { isArmoured, keyFingerprints } from '../../../../agent/platform/packages/openpgp.ts';
import {
  type ExecutorCase,
  proveExecutor,
  refusedCases,
} from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

/** Made by GnuPG 2.2 for this test; the private half was thrown away. */
const key = [
  '-----BEGIN PGP PUBLIC KEY BLOCK-----',
  '',
  'mDMEawI1dBYJKwYBBAHaRw8BAQdA2z0u3mfYNG5UDMaJDoNYfrc6PGvRcUi/FaP7',
  'M4Dd2xm0HFZpZ28gdGVzdCA8dGVzdEBleGFtcGxlLmNvbT6IkAQTFggAOBYhBJbp',
  'Iqn2AJ0SRficXPgRH1jJD5TLBQJrAjV0AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4B',
  'AheAAAoJEPgRH1jJD5TLF6gBAJbCt9MFLXG4rZudNw/thEBbIXjJiwZ4cZvfVDhp',
  'D2HpAPwJ6OL2e/ze9GutEhN9y7MShYLdcA3OGj65PfxZIM8yCA==',
  '=UZFJ',
  '-----END PGP PUBLIC KEY BLOCK-----',
  '',
].join('\n');
const fingerprint = '96E922A9F6009D1245F89C5CF8111F58C90F94CB';
const bytes = new TextEncoder().encode(key);

const type = createRepositoryType(async (url) => {
  if (url.includes('down')) throw new AgentError('AGENT_DOWNLOAD_FAILED', { detail: url });
  if (url.includes('alpine')) return new TextEncoder().encode(pem);
  return url.includes('garbage') ? new TextEncoder().encode('<html>') : bytes;
});
const pem = '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n';
const header = '# Managed by vigo; changes made here are undone.\n';
const list = '/etc/apt/sources.list.d/vendor.list';
const sources = '/etc/apt/sources.list.d/vendor.sources';
const keyFile = '/etc/apt/keyrings/vigo-vendor.asc';
const debian =
  (files: Record<string, string> = {}) =>
  (root: string) =>
    arrange(root, { '/usr/bin/apt-get': '', ...files });
const repo = 'deb [arch=amd64] https://p.example/debian stable main extra';
const plain = { repository: 'vendor', repo };
const signed = { ...plain, key_url: 'https://p.example/key.asc', key_fingerprint: fingerprint };
const lineText = `${header}${repo}\n`;
const signedText = `${header}deb [arch=amd64 signed-by=${keyFile}] https://p.example/debian stable main extra\n`;
const modern = `${header}Types: deb\nURIs: https://p.example/debian\nSuites: stable\nComponents: main extra\nArchitectures: amd64\n`;
const holds = (path: string, text: string) => (root: string, t: Test) =>
  t.equal(readFileSync(root + path, 'utf8'), text);
const isSigned = (root: string, t: Test) => {
  holds(list, signedText)(root, t);
  holds(keyFile, key)(root, t);
};

const cases: readonly ExecutorCase[] = [
  {
    name: 'from nothing',
    parameters: plain,
    arrange: debian(),
    action: 'created',
    check: holds(list, lineText),
  },
  {
    name: 'with its key',
    parameters: signed,
    arrange: debian(),
    action: 'created',
    check: isSigned,
  },
  {
    name: 'as declared',
    parameters: signed,
    arrange: debian({ [list]: signedText, [keyFile]: key }),
    action: 'none',
  },
  {
    name: 'edited',
    parameters: signed,
    arrange: debian({ [list]: 'x', [keyFile]: key }),
    action: 'updated',
    check: isSigned,
  },
  {
    name: 'the key is gone',
    parameters: signed,
    arrange: debian({ [list]: signedText }),
    action: 'updated',
    reason: /its key is missing/,
    check: isSigned,
  },
  {
    name: 'the key is another file',
    parameters: signed,
    arrange: debian({ [list]: signedText, [keyFile]: 'x' }),
    action: 'updated',
    reason: /holds no key/,
    check: isSigned,
  },
  {
    name: 'as the system writes them',
    parameters: plain,
    arrange: debian({ '/etc/apt/sources.list.d/debian.sources': '' }),
    action: 'created',
    check: holds(sources, modern),
  },
  {
    name: 'the other form goes',
    parameters: plain,
    arrange: debian({ [list]: lineText, [sources]: modern }),
    action: 'updated',
    reason: /stands in .* too/,
    check: (root, t) => t.notOk(existsSync(root + sources)),
  },
  {
    name: 'switched off',
    parameters: { ...plain, enabled: false, format: 'deb822' },
    arrange: debian(),
    action: 'created',
    check: holds(sources, `${modern}Enabled: no\n`),
  },
  {
    name: 'a key of the node',
    parameters: { ...signed, key_url: '/opt/key' },
    arrange: debian({ '/opt/key': key }),
    action: 'created',
    check: isSigned,
  },
  {
    name: 'absent',
    parameters: { repository: 'vendor', state: 'absent' },
    arrange: debian({ [list]: signedText, [keyFile]: key }),
    action: 'deleted',
    check: (root, t) => t.notOk(existsSync(root + list) || existsSync(root + keyFile)),
  },
  {
    name: 'absent already',
    parameters: { repository: 'vendor', state: 'absent' },
    arrange: debian(),
    action: 'none',
  },
  {
    name: 'no package manager',
    parameters: plain,
    action: 'failed',
    errorCode: 'AGENT_PACKAGE_MANAGER_MISSING',
  },
  {
    name: 'no line of apt',
    parameters: { ...plain, repo: 'https://p.example' },
    arrange: debian(),
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'no components',
    parameters: { ...plain, repo: 'deb https://p.example stable' },
    arrange: debian(),
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  ...refusedCases(signed, [
    { repo: '' },
    { repo: 'deb x y z\ndeb evil y z' },
    { repository: '../x' },
    { key_url: 'ftp://x' },
    { key_fingerprint: 'ABCD' },
    { format: 'xml' },
  ]),
];

t.test('a source of packages is what is declared', (t) =>
  proveExecutor(t, type, cases, {
    platform: simulatedMachine({}),
    interrupted: 'first-of-each-action',
    backend: 'apt',
  }),
);

/** Managers whose sources are INI sections. */
const iniManagers = [
  { backend: 'dnf', program: '/usr/bin/dnf', file: '/etc/yum.repos.d/vendor.repo' },
  { backend: 'zypper', program: '/usr/bin/zypper', file: '/etc/zypp/repos.d/vendor.repo' },
];
const rpmKey = '/etc/pki/rpm-gpg/vigo-vendor.asc';
const ini = {
  repository: 'vendor',
  repo: 'https://p.example/el9',
  key_url: 'https://p.example/k',
};
const iniText = `${header}[vendor]\nname=vendor\nbaseurl=https://p.example/el9\nenabled=1\ngpgcheck=1\ngpgkey=file://${rpmKey}\n`;

for (const { backend, program, file } of iniManagers) {
  const having = (files: Record<string, string>) => (root: string) =>
    arrange(root, { [program]: '', ...files });
  const rows: readonly ExecutorCase[] = [
    {
      name: 'from nothing',
      parameters: ini,
      arrange: having({}),
      action: 'created',
      check: (root, t) => {
        holds(file, iniText)(root, t);
        holds(rpmKey, key)(root, t);
      },
    },
    {
      name: 'as declared',
      parameters: ini,
      arrange: having({ [file]: iniText, [rpmKey]: key }),
      action: 'none',
    },
    {
      name: 'edited',
      parameters: ini,
      arrange: having({ [file]: iniText.replace('enabled=1', 'enabled=0'), [rpmKey]: key }),
      action: 'updated',
      check: holds(file, iniText),
    },
    {
      name: 'a whole section',
      parameters: { repository: 'vendor', repo: '[vendor]\nbaseurl=https://p.example/x\n' },
      arrange: having({}),
      action: 'created',
      check: holds(file, `${header}[vendor]\nbaseurl=https://p.example/x\n`),
    },
    {
      name: 'absent',
      parameters: { repository: 'vendor', state: 'absent' },
      arrange: having({ [file]: iniText, [rpmKey]: key }),
      action: 'deleted',
      check: (root, t) => t.notOk(existsSync(root + file) || existsSync(root + rpmKey)),
    },
  ];
  t.test(`a source of ${backend} is a file of its own`, (t) =>
    proveExecutor(t, type, rows, {
      platform: simulatedMachine({}),
      interrupted: 'first',
      backend,
    }),
  );
}

const dropIn = '/etc/pacman.d/vigo/vendor.conf';
const pacmanKey = '/etc/pacman.d/vigo/vendor.asc';
const pacmanConfig = '/etc/pacman.conf';
const options = '[options]\nArchitecture = auto\n';
const taken = withInclude(options, dropIn, true);
const arch =
  (files: Record<string, string> = {}) =>
  (root: string) =>
    arrange(root, { '/usr/bin/pacman': '', [pacmanConfig]: options, ...files });
const archRepo = { repository: 'vendor', repo: 'https://p.example/$repo/os/$arch' };
const archSigned = { ...archRepo, key_url: 'https://p.example/k', key_fingerprint: fingerprint };
const section = `${header}[vendor]\nServer = https://p.example/$repo/os/$arch\n`;
const archIs = (root: string, t: Test) => {
  holds(dropIn, `${section}SigLevel = Required DatabaseOptional\n`)(root, t);
  holds(pacmanKey, key)(root, t);
  holds(pacmanConfig, taken)(root, t);
  holds('/keyring', `${fingerprint}\n`)(root, t);
};
const keyring: SimulatedTool = ([verb, word], root) => {
  if (verb === '--lsign-key') arrange(root, { '/keyring': `${word}\n` });
  return undefined;
};

t.test('a source of pacman is a drop-in that pacman.conf takes in', (t) =>
  proveExecutor(
    t,
    type,
    [
      {
        name: 'from nothing',
        parameters: archSigned,
        arrange: arch(),
        action: 'created',
        check: archIs,
      },
      {
        name: 'as declared',
        parameters: archRepo,
        arrange: arch({ [dropIn]: section, [pacmanConfig]: taken }),
        action: 'none',
      },
      {
        name: 'the line of pacman.conf is gone',
        parameters: archRepo,
        arrange: arch({ [dropIn]: section }),
        action: 'updated',
        reason: /does not take it in/,
        check: holds(pacmanConfig, taken),
      },
      {
        name: 'switched off',
        parameters: { ...archRepo, enabled: false },
        arrange: arch({ [dropIn]: section, [pacmanConfig]: taken }),
        action: 'updated',
        check: holds(dropIn, `${header}# [vendor]\n# Server = https://p.example/$repo/os/$arch\n`),
      },
      {
        name: 'absent',
        parameters: { ...archSigned, state: 'absent' },
        arrange: arch({ [dropIn]: section, [pacmanKey]: key, [pacmanConfig]: taken }),
        action: 'deleted',
        check: (root, t) => {
          t.notOk(existsSync(root + dropIn) || existsSync(root + pacmanKey));
          holds(pacmanConfig, options)(root, t);
        },
      },
      {
        name: 'no URL',
        parameters: { ...archRepo, repo: 'deb x y z' },
        arrange: arch(),
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
    ],
    {
      platform: simulatedMachine({ 'pacman-key': keyring }),
      interrupted: 'first-of-each-action',
      backend: 'pacman',
    },
  ),
);

const alpineList = '/etc/apk/repositories.d/vendor.list';
const alpineKey = '/etc/apk/keys/vendor-1.rsa.pub';
const alpine =
  (files: Record<string, string> = {}) =>
  (root: string) =>
    arrange(root, { '/sbin/apk': '', ...files });
const alpineRepo = {
  repository: 'vendor',
  repo: '@vendor https://p.example/alpine',
  key_url: 'https://alpine.example/vendor-1.rsa.pub',
};

t.test('a source of apk is a list of its own', (t) =>
  proveExecutor(
    t,
    type,
    [
      {
        name: 'from nothing',
        parameters: alpineRepo,
        arrange: alpine(),
        action: 'created',
        check: (root, t) => {
          holds(alpineList, `${header}@vendor https://p.example/alpine\n`)(root, t);
          holds(alpineKey, pem)(root, t);
        },
      },
      {
        name: 'as declared',
        parameters: alpineRepo,
        arrange: alpine({
          [alpineList]: `${header}@vendor https://p.example/alpine\n`,
          [alpineKey]: pem,
        }),
        action: 'none',
      },
      {
        name: 'edited, and switched off',
        parameters: { ...alpineRepo, enabled: false },
        arrange: alpine({ [alpineList]: 'x', [alpineKey]: pem }),
        action: 'updated',
        check: holds(alpineList, `${header}#@vendor https://p.example/alpine\n`),
      },
      {
        name: 'absent',
        parameters: { ...alpineRepo, state: 'absent' },
        arrange: alpine({ [alpineList]: 'x', [alpineKey]: pem }),
        action: 'deleted',
        check: (root, t) => t.notOk(existsSync(root + alpineList) || existsSync(root + alpineKey)),
      },
      {
        name: 'a fingerprint, which such keys do not have',
        parameters: { ...alpineRepo, key_fingerprint: fingerprint },
        arrange: alpine(),
        action: 'failed',
        errorCode: 'POLICY_PARAMETER_INVALID',
      },
      {
        name: 'no key at all',
        parameters: { ...alpineRepo, key_url: 'https://garbage/x' },
        arrange: alpine(),
        predicted: 'created',
        action: 'failed',
        errorCode: 'AGENT_KEY_REFUSED',
      },
    ],
    { platform: simulatedMachine({}), interrupted: 'first', backend: 'apk' },
  ),
);

t.test('a key that is not the declared one is never installed', async (t) => {
  const applied = async (parameters: Record<string, string>) => {
    const root = t.testdir({});
    debian()(root);
    const context = {
      platform: simulatedMachine({})(root),
      signal: new AbortController().signal,
      triggered: false,
      snapshot: async () => {},
    };
    const spec = type.parse({ ...signed, ...parameters });
    const state = await type.observe(spec, context);
    try {
      await type.apply(spec, state, { action: 'created', reason: '' }, context);
    } finally {
      t.notOk(existsSync(root + keyFile) || existsSync(root + list), 'nothing is written');
    }
  };
  const other = 'F'.repeat(40);
  await t.rejects(applied({ key_fingerprint: other }), {
    code: 'AGENT_KEY_REFUSED',
    outcome: 'failed',
  });
  await t.rejects(applied({ key_url: 'https://garbage/' }), { code: 'AGENT_KEY_REFUSED' });
  await t.rejects(applied({ key_url: 'https://down/' }), {
    code: 'AGENT_DOWNLOAD_FAILED',
    outcome: 'blocked',
  });
});

t.test('fingerprints are those of GnuPG, and no bytes end the agent', async (t) => {
  t.same(keyFingerprints(bytes), [fingerprint]);
  const body = key.split('\n').slice(2, 7).join('');
  const binary = Buffer.from(body, 'base64');
  t.same(keyFingerprints(binary), [fingerprint]);
  t.equal(isArmoured(binary), false);
  t.equal(keyFingerprints(binary.subarray(0, 40)), undefined, 'cut short');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void keyFingerprints(noise)));
});

t.test('no declared source becomes two', async () => {
  const text = fc.string({ unit: fc.constantFrom('d', 'e', 'b', ' ', '[', ']', '=', '\n', '/') });
  fc.assert(
    fc.property(text, (tail) => {
      const repo = `deb https://h/ ${tail}`;
      if (repositoryProblem('list', repo) !== undefined) return;
      try {
        type.parse({ repository: 'x', repo });
        if (/[\r\n]/.test(repo.trim())) throw new Error(JSON.stringify(repo));
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
  );
});
