import { execFileSync } from 'node:child_process';
import t from 'tap';
import { hexadecimal, quote } from '../../../../agent/executors/cross/filters.ts';
import { fc } from '../../../support/property.ts';

const hostile = fc.string({
  unit: fc.constantFrom(
    '$',
    '`',
    "'",
    '"',
    ';',
    '\n',
    '*',
    ' ',
    '\\',
    '-',
    '(',
    '&',
    '%',
    'a',
    'ä',
  ),
  minLength: 1,
  maxLength: 20,
});

t.test('a path in a validate command is one word of the shell, whatever it holds', async () => {
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 20 }), (paths) => {
      const command = `printf '%s\\0' ${paths.map(quote).join(' ')}`;
      const output = execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
      return output === paths.map((path) => `${path}\0`).join('');
    }),
    { numRuns: 40 },
  );
});

t.test('bytes in hexadecimal', async (t) => {
  t.equal(hexadecimal(new Uint8Array([0, 10, 255])), '000aff');
});
