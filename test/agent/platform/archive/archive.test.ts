import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { AgentError } from '../../../../agent/errors.ts';
import { readArchive } from '../../../../agent/platform/archive/archive.ts';
import type { ArchiveEntry } from '../../../../agent/platform/archive/entries.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import { makeTar, makeZip, type TestEntry } from '../../../support/archives.ts';
import { fc } from '../../../support/property.ts';
import { requires } from '../../../support/requires.ts';

const platform = createNodePlatform();
const never = new AbortController().signal;
const read = (bytes: Uint8Array, work = '/nowhere') => readArchive(bytes, work, platform, never);
const told = (entries: readonly ArchiveEntry[]) =>
  entries.map((entry) =>
    entry.kind === 'file'
      ? `${entry.path} ${entry.mode.toString(8)} ${Buffer.from(entry.bytes).toString()}`
      : entry.kind === 'symlink'
        ? `${entry.path} -> ${entry.target}`
        : `${entry.path}/`,
  );

const good: readonly TestEntry[] = [
  { name: './', type: '5', mode: 0o755 },
  { name: './bin/', type: '5', mode: 0o755 },
  { name: './bin/tool', content: '#!x', mode: 0o755 },
  { name: './lib', type: '2', link: 'bin/tool' },
  { name: './bin/up', type: '2', link: '../bin/tool' },
  { name: './bin/same', type: '1', link: './bin/tool' },
];

t.test('tar and zip archives are read, whatever packs them', async (t) => {
  const expected = [
    'bin/',
    'bin/tool 755 #!x',
    'lib -> bin/tool',
    'bin/up -> ../bin/tool',
    'bin/same 755 #!x',
  ];
  t.same(told(await read(makeTar(good))), expected);
  t.same(told(await read(gzipSync(makeTar(good)))), expected);
  const zip = makeZip([
    { name: 'bin/' },
    { name: 'bin/tool', content: '#!x', mode: 0o755 },
    { name: 'lib', content: 'bin/tool', type: '2' },
  ]);
  t.same(told(await read(zip)), ['bin/', 'bin/tool 755 #!x', 'lib -> bin/tool']);
});

const tools = requires('command:tar', 'command:xz', 'command:bzip2');
t.test('what real tar, bzip2 and xz make is read, long names too', { skip: tools }, async (t) => {
  const root = t.testdir();
  const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`;
  mkdirSync(`${root}/in/${'d'.repeat(120)}`, { recursive: true });
  writeFileSync(`${root}/in/${long}`, 'long');
  for (const [flag, format] of [
    ['-z', 'gnu'],
    ['-j', 'pax'],
    ['-J', 'gnu'],
  ] as const) {
    mkdirSync(`${root}/work${flag}`);
    const bytes = execFileSync('tar', ['-C', `${root}/in`, `--format=${format}`, flag, '-c', '.']);
    const files = told(await read(bytes, `${root}/work${flag}`)).filter((line) =>
      line.includes(' '),
    );
    t.same(files, [`${long} 644 long`], flag);
  }
  mkdirSync(`${root}/work`);
  const damaged = execFileSync('tar', ['-C', `${root}/in`, '-J', '-c', '.']).subarray(0, 90);
  await t.rejects(read(damaged, `${root}/work`), { code: 'AGENT_ARCHIVE_INVALID' });
});

t.test('an archive that reaches out of its directory is refused', async (t) => {
  const file = (name: string): TestEntry => ({ name, content: 'x' });
  const hostile: readonly (readonly TestEntry[])[] = [
    [file('../etc/passwd')],
    [file('a/../../b')],
    [file('/etc/passwd')],
    [file('a\\..\\b')],
    [{ name: 'l', type: '2', link: '/etc' }],
    [{ name: 'a/l', type: '2', link: '../../etc' }],
    [{ name: 'l', type: '2', link: 'a/../..' }],
    [{ name: 'l', type: '2', link: 'd' }, file('l/x')],
    [file('l/x'), { name: 'l', type: '2', link: 'd' }],
    [file('a'), file('a/b')],
    [file('a'), file('./a')],
    [{ name: 'd', type: '3' }],
    [{ name: 'p', type: '6' }],
    [{ name: 'x', type: '1', link: '../x' }],
  ];
  for (const entries of hostile)
    await t.rejects(
      read(makeTar(entries)),
      { code: 'AGENT_ARCHIVE_UNSAFE', outcome: 'failed' },
      JSON.stringify(entries),
    );
  for (const name of ['../x', '/x', 'a/../../x'])
    await t.rejects(
      read(makeZip([{ name, content: 'x' }])),
      { code: 'AGENT_ARCHIVE_UNSAFE' },
      name,
    );
});

t.test('a bomb is refused before it is unpacked', async (t) => {
  const size = 0x7fffffff;
  await t.rejects(read(makeZip([{ name: 'b', content: 'x', size }])), {
    code: 'AGENT_ARCHIVE_UNSAFE',
  });
  const lies = makeZip([{ name: 'b', content: 'x'.repeat(100_000), size: 10 }]);
  await t.rejects(read(lies), { code: 'AGENT_ARCHIVE_INVALID' }, 'more than it says');
});

t.test('whatever the bytes are, an archive is read or refused with a code', async () => {
  const samples = [makeTar(good), gzipSync(makeTar(good)), makeZip([{ name: 'a', content: 'b' }])];
  const damaged = fc
    .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat(255), fc.nat())
    .map(([sample, at, byte, cut]) => {
      const bytes = Buffer.from(sample);
      bytes[at % bytes.length] = byte;
      return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), damaged), async (bytes) => {
      if (bytes[0] === 0x42 || bytes[0] === 0xfd) return;
      try {
        for (const { path } of await read(bytes))
          if (path.startsWith('/') || path.split('/').includes('..')) throw new Error(path);
      } catch (error) {
        if (!(error instanceof AgentError) || !error.code.startsWith('AGENT_ARCHIVE')) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
