import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { boundedDiff, contentDiff, unifiedDiff } from '../../../agent/converge/diff.ts';
import { diffLimit } from '../../../agent/protocol/limits.ts';
import { fc } from '../../support/property.ts';
import { requires } from '../../support/requires.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

t.test('as diff -u writes it', async (t) => {
  t.equal(
    unifiedDiff('/x', 'a\nb\nc\nd\ne\nf\ng\nh\ni\n', 'a\nb\nc\nd\nE\nf\ng\nh\ni'),
    [
      '--- /x',
      '+++ /x',
      '@@ -2,8 +2,8 @@',
      ' b',
      ' c',
      ' d',
      '-e',
      '+E',
      ' f',
      ' g',
      ' h',
      '-i',
      '+i',
      '\\ No newline at end of file',
    ].join('\n'),
  );
  t.equal(unifiedDiff('/x', 'a\n', 'a\n'), '');
  t.match(unifiedDiff('/x', '', 'a\n'), /@@ -0,0 \+1 @@\n\+a$/);
});

t.test('binary content is named, not shown', async (t) => {
  t.equal(contentDiff('/x', bytes('a\0b'), bytes('abc')), 'binary content, 3 -> 3 bytes');
  t.match(contentDiff('/x', new Uint8Array([255]), bytes('')), /binary/);
});

t.test('a diff is bounded', async (t) => {
  const long = boundedDiff(`+${'ä'.repeat(200)}\n`.repeat(1000));
  t.ok(bytes(long).length <= diffLimit);
  t.match(long, /\(cut\)$/);
});

t.test('texts too different to compare are shown as a whole', async (t) => {
  const many = (mark: string) => Array.from({ length: 2000 }, (_, i) => `${mark}${i}\n`).join('');
  t.match(unifiedDiff('/x', many('a'), many('b')), /@@ -1,2000 \+1,2000 @@/);
});

const line = fc.constantFrom('a', 'b', 'c', '');
const text = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
  .map(([lines, end]) => lines.join('\n') + (end ? '\n' : ''));

t.test('patch turns one into the other', { skip: requires('command:patch') }, async (t) => {
  const place = t.testdir({});
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff('x', before, after);
      if (diff === '') return before === after;
      writeFileSync(`${place}/x`, before);
      const command = ['--quiet', '--fuzz=0', '-o', '-', `${place}/x`];
      const patched = execFileSync('patch', command, { input: `${diff}\n`, encoding: 'utf8' });
      return patched === after;
    }),
    { numRuns: 60 },
  );
});
