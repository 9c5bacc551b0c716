import { readFileSync } from 'node:fs';
import t from 'tap';
import { errorReference, errorReferenceFile, errorSections } from '../tools/error-reference.ts';
import { sources } from './sources.ts';

const codes = errorSections.flatMap(([, entries]) => entries);

t.test('the reference page of errors is the registries', async (t) => {
  const kept = readFileSync(errorReferenceFile, 'utf8');
  t.ok(kept === errorReference(), 'run: node test/tools/error-reference.ts');
});

t.test('a code means one thing in the whole project', async (t) => {
  const names = codes.map(([code]) => code);
  t.same(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});

t.test('every error says what to do about it', async (t) => {
  t.same(
    codes
      .filter(([code, { remedy }]) => !code.startsWith('BENCH_') && !remedy)
      .map(([code]) => code),
    [],
  );
});

t.test('no code stands in a registry without being used', async (t) => {
  const code = sources().filter(({ path }) => !/^test\/|errors\.ts$/.test(path));
  const text = code.map((source) => source.text).join('\n');
  t.same(
    codes.map(([name]) => name).filter((name) => !text.includes(`'${name}'`)),
    [],
  );
});
