import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { AgentError } from '../../../../agent/errors.ts';
import { createNonrepoPackageType } from '../../../../agent/executors/cross/nonrepo-package.ts';
import { packageFileName } from '../../../../agent/policy/resource-schemas/nonrepo-package.ts';
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

const debMagic = '!<arch>\n';
const rpmMagic = String.fromCharCode(0xed, 0xab, 0xee, 0xdb);
const bytesOf = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0));
/** What stands in for a package: its magic, name and version. */
const packageBytes = (magic: string, name: string, version: string) =>
  bytesOf(`${magic}${name}\t${version}`);
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const type = createNonrepoPackageType(async (url) => {
  if (url.includes('down')) throw new AgentError('AGENT_DOWNLOAD_FAILED', { detail: url });
  if (url.includes('html')) return bytesOf('<html>');
  const file = packageFileName(url) ?? { name: 'tool', version: '1.0' };
  const magic = url.includes('.rpm') ? rpmMagic : debMagic;
  return packageBytes(magic, url.includes('/other/') ? 'other' : file.name, file.version);
});

/** A back-end: its files, and tools that change them. */
interface Backend {
  readonly name: string;
  readonly ending: string;
  readonly version: (version: string) => string;
  readonly arrange: (root: string, packages: Readonly<Record<string, string>>) => void;
  readonly read: (root: string) => Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, SimulatedTool>>;
}

const inside = (path: string, magic: string) =>
  readFileSync(path, 'latin1').slice(magic.length).split('\t');

const status = '/var/lib/dpkg/status';
const readDpkg = (root: string) =>
  Object.fromEntries(
    [
      ...readFileSync(root + status, 'utf8').matchAll(
        /^Package: (.*)\nStatus: (\w+) .*\nVersion: (.*)$/gm,
      ),
    ].map(([, name, want, version]) => [name!, want === 'hold' ? `held ${version}` : version!]),
  );
const writeDpkg = (root: string, packages: Readonly<Record<string, string>>) =>
  arrange(root, {
    '/usr/bin/apt-get': '',
    '/var/lib/apt/lists/lab_Packages': '',
    [status]: Object.entries(packages)
      .map(([name, version]) => {
        const want = version.startsWith('held ') ? 'hold' : 'install';
        return `Package: ${name}\nStatus: ${want} ok installed\nVersion: ${version.replace('held ', '')}\n\n`;
      })
      .join(''),
  });
const apt: Backend = {
  name: 'dpkg',
  ending: '_amd64.deb',
  version: (version) => version,
  arrange: writeDpkg,
  read: readDpkg,
  tools: {
    '/usr/bin/apt-get': (words, root) => {
      const last = words.at(-1)!;
      const packages: Record<string, string> = { ...readDpkg(root) };
      if (words.includes('remove')) delete packages[last];
      else {
        const [name = '', version = ''] = inside(last, debMagic);
        packages[name] = version;
      }
      writeDpkg(root, packages);
      return undefined;
    },
    '/usr/bin/apt-mark': ([verb, , name], root) => {
      const packages: Record<string, string> = { ...readDpkg(root) };
      packages[name!] = `${verb === 'hold' ? 'held ' : ''}${packages[name!]!.replace('held ', '')}`;
      writeDpkg(root, packages);
      return undefined;
    },
    'dpkg-deb': (words) => ({ stdout: inside(words.at(-1)!, debMagic).join('\t') }),
  },
};

const database = '/var/lib/rpm/rpmdb.sqlite';
const readRpm = (root: string) => JSON.parse(readFileSync(root + database, 'utf8'));
const rpmBackend = (name: string, program: string): Backend => ({
  name: `rpm by ${name}`,
  ending: '-1.noarch.rpm',
  version: (version) => `${version}-1`,
  arrange: (root, packages) =>
    arrange(root, { [program]: '', '/usr/bin/rpm': '', [database]: JSON.stringify(packages) }),
  read: readRpm,
  tools: {
    [program]: (words, root) => {
      const last = words.at(-1)!;
      const packages: Record<string, string> = { ...readRpm(root) };
      if (words.includes('remove')) delete packages[last];
      else if (last.endsWith('.rpm')) {
        const [name = '', version = ''] = inside(last, rpmMagic);
        packages[name] = version;
      }
      writeFileSync(root + database, JSON.stringify(packages));
      return undefined;
    },
    '/usr/bin/rpm': (_words, root) => ({
      stdout: Object.entries(readRpm(root))
        .map(([name, version]) => `${name}\t0:${version}\tnoarch\t1\n`)
        .join(''),
    }),
    rpm: (words) => ({ stdout: inside(words.at(-1)!, rpmMagic).join('\t0:') }),
  },
});

const work = '/var/cache/vigo-packages';

function rows(backend: Backend): readonly ExecutorCase[] {
  const { ending, version } = backend;
  const separator = ending.startsWith('_') ? '_' : '-';
  const url = (of: string) => `https://v.example/tool${separator}${of}${ending}`;
  const tool = { url: url('1.0') };
  const having = (packages: Readonly<Record<string, string>>) => (root: string) =>
    backend.arrange(root, packages);
  const is = (root: string, t: Test) => {
    t.equal(backend.read(root).tool, version('1.0'));
    t.notOk(existsSync(`${root}${work}/tool.${ending.split('.').at(-1)}`), 'no file is left');
  };
  const magic = ending.endsWith('.deb') ? debMagic : rpmMagic;
  const sha256 = digestOf(packageBytes(magic, 'tool', version('1.0')));
  return [
    {
      name: 'from nothing',
      parameters: { ...tool, sha256 },
      arrange: having({}),
      action: 'created',
      check: is,
    },
    {
      name: 'as declared',
      parameters: tool,
      arrange: having({ tool: version('1.0') }),
      action: 'none',
    },
    {
      name: 'an older version',
      parameters: tool,
      arrange: having({ tool: version('0.9') }),
      action: 'updated',
      reason: /is 0.9(-1)?, not 1.0/,
      check: is,
    },
    {
      name: 'a file that an interrupted pass left',
      parameters: tool,
      arrange: (root) => {
        backend.arrange(root, { tool: version('1.0') });
        arrange(root, { [`${work}/tool.${ending.split('.').at(-1)}`]: 'half' });
      },
      action: 'updated',
      check: is,
    },
    {
      name: 'a URL that tells no version: whatever is there will do',
      parameters: { url: 'https://v.example/latest', package: 'tool' },
      arrange: having({ tool: version('0.1') }),
      action: 'none',
    },
    {
      name: 'absent',
      parameters: { package: 'tool', state: 'absent' },
      arrange: having({ tool: version('1.0'), other: version('1') }),
      action: 'deleted',
      check: (root, t) => t.same(Object.keys(backend.read(root)), ['other']),
    },
    {
      name: 'absent already',
      parameters: { ...tool, state: 'absent' },
      arrange: having({}),
      action: 'none',
    },
    {
      name: 'another content than declared',
      parameters: { ...tool, sha256: digestOf(bytesOf('x')) },
      arrange: having({}),
      predicted: 'created',
      action: 'failed',
      errorCode: 'AGENT_CHECKSUM_MISMATCH',
      check: (root, t) => t.same(backend.read(root), {}),
    },
    {
      name: 'no package at all',
      parameters: { ...tool, url: 'https://v.example/html', package: 'tool' },
      arrange: having({}),
      predicted: 'created',
      action: 'failed',
      errorCode: 'AGENT_PACKAGE_FILE',
    },
    {
      name: 'another package',
      parameters: { url: url('1.0').replace('v.example', 'v.example/other') },
      arrange: having({}),
      predicted: 'created',
      action: 'failed',
      errorCode: 'AGENT_PACKAGE_FILE',
      check: (root, t) => t.same(backend.read(root), {}),
    },
    {
      name: 'a server that does not answer',
      parameters: { url: url('1.0').replace('v.example', 'down.example') },
      arrange: having({}),
      predicted: 'created',
      action: 'blocked',
      errorCode: 'AGENT_DOWNLOAD_FAILED',
    },
    ...refusedCases(tool, [
      { url: 'tool.deb' },
      { url: 'ftp://x/y.deb' },
      { url: 'https://x/y' },
      { package: '-x' },
      { package: 'a b' },
      { sha256: 'abc' },
      { url: '' },
    ]),
  ];
}

for (const backend of [
  apt,
  rpmBackend('dnf', '/usr/bin/dnf'),
  rpmBackend('zypper', '/usr/bin/zypper'),
])
  t.test(`a package from a file is what is declared: ${backend.name}`, (t) =>
    proveExecutor(t, type, rows(backend), {
      platform: simulatedMachine(backend.tools),
      interrupted: backend.name === 'dpkg' ? 'first-of-each-action' : 'first',
      backend: backend.name,
    }),
  );

t.test('a version is held when that is declared, and held again', (t) =>
  proveExecutor(
    t,
    type,
    ['1.0', 'held 0.9'].map((tool) => ({
      name: tool,
      parameters: { url: 'https://v.example/tool_1.0_amd64.deb', lock_version: true },
      arrange: (root) => writeDpkg(root, { tool }),
      action: 'updated',
      check: (root, t) => t.equal(readDpkg(root).tool, 'held 1.0'),
    })),
    { platform: simulatedMachine(apt.tools), interrupted: 'none', backend: 'dpkg' },
  ),
);

t.test('a file of the node is installed too, an older rpm only when allowed', async (t) => {
  const backend = rpmBackend('dnf', '/usr/bin/dnf');
  const place = '/srv/tool-1.0-1.noarch.rpm';
  const arrangeFile = (root: string) => {
    backend.arrange(root, { tool: '2.0-1' });
    mkdirSync(`${root}/srv`);
    writeFileSync(root + place, packageBytes(rpmMagic, 'tool', '1.0-1'));
  };
  await proveExecutor(
    t,
    type,
    [
      {
        name: 'refused',
        parameters: { url: place },
        arrange: arrangeFile,
        predicted: 'updated',
        action: 'failed',
        errorCode: 'AGENT_PACKAGE_FAILED',
      },
      {
        name: 'allowed',
        parameters: { url: `file://${place}`, allow_downgrade: true },
        arrange: arrangeFile,
        action: 'updated',
        check: (root, t) => t.equal(readRpm(root).tool, '1.0-1'),
      },
    ],
    { platform: simulatedMachine(backend.tools), interrupted: 'none', backend: backend.name },
  );
});

t.test('the name of a file tells what is in it', async (t) => {
  t.same(packageFileName('https://x/a-b_1%3a2.0-1_all.deb?x=1'), {
    name: 'a-b',
    version: '1:2.0-1',
  });
  t.same(packageFileName('/srv/a-b-2.0-1.x86_64.rpm'), { name: 'a-b', version: '2.0-1' });
  for (const url of ['https://x/tool.deb', 'https://x/', 'x.rpm'])
    t.equal(packageFileName(url), undefined);
  const word = fc.stringMatching(/^[a-z][a-z0-9+.]{0,8}$/);
  fc.assert(
    fc.property(word, word, fc.webUrl(), (name, version, base) => {
      const found = packageFileName(`${base}/${name}_${version}_amd64.deb`);
      return found?.name === name && found.version === version;
    }),
  );
});
