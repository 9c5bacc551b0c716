import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import {
  readingLimit,
  readStackFiles,
  type StackFiles,
} from '../../../actors/publish/stack/stack-files.ts';
import { fileCountLimit } from '../../../actors/publish/stack/stack-scan.ts';
import type { Disk } from '../../../runtime/ports/disk.ts';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';

/** A stack directory with one good module, and what `make` adds. */
function stackDirectory(t: Test, make: (root: string) => void): string {
  const root = mkdtempSync(join(tmpdir(), 'vigo-hostile-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'modules'));
  mkdirSync(join(root, 'templates'));
  writeFileSync(join(root, 'modules/good.vgo'), 'name: good\n');
  make(root);
  return root;
}

async function read(
  directory: string,
  disk: Disk = nodeDisk(),
): Promise<{ files: StackFiles; found: string[] }> {
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(disk, directory, diagnostics);
  const found = diagnostics.list().map(({ code, file, line, column }) => {
    return `${code} ${file}:${line}:${column}`;
  });
  return { files, found };
}

const hostile: [what: string, make: (root: string) => void, expected: string[]][] = [
  [
    'links that leave, lead nowhere, or turn in a circle',
    (root) => {
      symlinkSync('/etc/passwd', join(root, 'templates/passwd'));
      symlinkSync('/etc', join(root, 'etc'));
      symlinkSync('nothing', join(root, 'modules/none.vgo'));
      symlinkSync('loop.vgo', join(root, 'modules/loop.vgo'));
      symlinkSync('..', join(root, 'modules/up'));
    },
    [
      'PUBLISH_LINK etc:1:1',
      'PUBLISH_LINK modules/loop.vgo:1:1',
      'PUBLISH_LINK modules/none.vgo:1:1',
      'PUBLISH_LINK modules/up:1:1',
      'PUBLISH_LINK templates/passwd:1:1',
    ],
  ],
  [
    'a pipe, which nobody will ever write to',
    (root) => execFileSync('mkfifo', [join(root, 'modules/pipe.vgo')]),
    ['PUBLISH_UNREADABLE modules/pipe.vgo:1:1'],
  ],
  [
    'a file of 50 MB, and one of more than 4 GB that takes no space',
    (root) => {
      writeFileSync(join(root, 'modules/large.vgo'), '');
      truncateSync(join(root, 'modules/large.vgo'), 50_000_000);
      writeFileSync(join(root, 'templates/huge'), '');
      truncateSync(join(root, 'templates/huge'), 5_000_000_000);
    },
    ['PUBLISH_LIMIT modules/large.vgo:1:1', 'PUBLISH_LIMIT templates/huge:1:1'],
  ],
  [
    'a name with a line break, and one that turns the text around',
    (root) => {
      writeFileSync(join(root, 'modules/a\nb.vgo'), 'name: x\n');
      writeFileSync(join(root, 'modules/\u202egv.vgo'), 'name: y\n');
    },
    ['PUBLISH_BAD_NAME modules/a\nb.vgo:1:1', 'PUBLISH_BAD_NAME modules/\u202egv.vgo:1:1'],
  ],
  [
    'directories nested 40 deep',
    (root) => mkdirSync(join(root, 'd/'.repeat(40)), { recursive: true }),
    [`PUBLISH_LIMIT ${'d/'.repeat(13).slice(0, -1)}:1:1`],
  ],
  [
    'more files than a stack may have',
    (root) => {
      for (let index = 0; index <= fileCountLimit; index += 1) {
        writeFileSync(join(root, `modules/n${String(index).padStart(5, '0')}.vgo`), '');
      }
    },
    ['PUBLISH_LIMIT'],
  ],
];

t.test('whatever stands in the directory, reading ends and says what is wrong', async (t) => {
  for (const [what, make, expected] of hostile) {
    const { files, found } = await read(stackDirectory(t, make));
    if (expected[0] === 'PUBLISH_LIMIT') {
      t.match(found, [/^PUBLISH_LIMIT modules\//], what);
      t.equal(files.size, 0, 'a part of a stack is none');
      continue;
    }
    t.same(found, expected, what);
    t.same([...files.keys()], ['modules/good.vgo'], 'and the rest is read');
  }
});

t.test('links within the stack are followed', async (t) => {
  const root = stackDirectory(t, (root) => {
    mkdirSync(join(root, 'shared'));
    writeFileSync(join(root, 'shared/motd'), 'hello');
    symlinkSync('../shared/motd', join(root, 'templates/motd'));
    symlinkSync('../shared', join(root, 'templates/more'));
  });
  const { files, found } = await read(root);
  t.same(found, []);
  t.same(
    [...files].filter(([path]) => path.startsWith('templates')),
    [
      ['templates/more/motd', 'hello'],
      ['templates/motd', 'hello'],
    ],
  );
});

/** The real disk, with an edit before the reads that `edit` chooses. */
function editedDisk(edit: (read: number) => void): Disk {
  let reads = 0;
  const disk = nodeDisk();
  return {
    ...disk,
    read: async (path) => {
      reads += 1;
      edit(reads);
      return await disk.read(path);
    },
  };
}

t.test('an edit during the reading is read whole, or not at all', async (t) => {
  const root = stackDirectory(t, (root) => {
    writeFileSync(join(root, 'modules/a.vgo'), 'name: a\n');
    writeFileSync(join(root, 'modules/b.vgo'), 'name: b\n');
  });
  const disk = editedDisk((read) => {
    if (read !== 2) return;
    writeFileSync(join(root, 'modules/a.vgo'), 'name: a2\n');
    writeFileSync(join(root, 'modules/b.vgo'), 'name: b2\n');
    rmSync(join(root, 'modules/good.vgo'));
  });
  const { files, found } = await read(root, disk);
  t.same(found, []);
  t.same(Object.fromEntries(files), {
    'modules/a.vgo': 'name: a2\n',
    'modules/b.vgo': 'name: b2\n',
  });
});

t.test('a stack that never stands still is refused', async (t) => {
  const root = stackDirectory(t, () => undefined);
  const file = join(root, 'modules/good.vgo');
  let reads = 0;
  const disk = editedDisk((read) => {
    reads = read;
    // The same content: what counts is that somebody is at work.
    utimesSync(file, read, read);
  });
  const { found } = await read(root, disk);
  t.same(found, ['PUBLISH_CHANGING modules/good.vgo:1:1']);
  t.equal(reads, readingLimit);
});

t.test('a disk that fails gives a coded error and never a thrown one', async (t) => {
  const root = stackDirectory(t, () => undefined);
  const disk = nodeDisk();
  const fail = async (): Promise<never> => {
    throw new Error('EIO: i/o error, somewhere');
  };
  for (const method of ['list', 'read', 'inspect', 'resolve'] as const) {
    const { found } = await read(root, { ...disk, [method]: fail });
    t.ok(found.length > 0, method);
    t.ok(
      found.every((line) => /^PUBLISH_(UNREADABLE|LINK) /.test(line)),
      found.join(),
    );
  }
});
