import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { diagnosticCodes } from '../../../actors/publish/stack/diagnostic-codes.ts';
import { brokenCorpus as corpus, validateDirectory } from '../../support/broken-corpus.ts';
import { diagnosticReference, diagnosticReferenceFile } from '../../tools/diagnostic-reference.ts';

/**
 * test/corpus/broken/<code>-<what>/: a small stack under `stack/`, and in `expected.txt` what validation
 * says of it, a line each: "<code> <file>:<line>:<column>". UPDATE_CORPUS=1 writes those anew.
 */
const cases = readdirSync(corpus).sort();

/** Codes that no files by themselves can cause; the test that has each. */
const elsewhere: Readonly<Record<string, string>> = {
  PUBLISH_CHANGING: 'hostile-files.test.ts',
};

async function findings(name: string): Promise<string[]> {
  const diagnostics = await validateDirectory(new URL(`${name}/stack`, corpus).pathname);
  return diagnostics.map(({ code, file, line, column }) => `${code} ${file}:${line}:${column}`);
}

t.test('each broken stack gets exactly the diagnostics that its author needs', async (t) => {
  for (const name of cases) {
    const found = await findings(name);
    const file = new URL(`${name}/expected.txt`, corpus);
    if (process.env.UPDATE_CORPUS === '1') writeFileSync(file, `${found.join('\n')}\n`);
    const expected = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    t.same(found, expected, name);
    const [code] = name.split('-');
    t.ok(
      found.some((line) => line.startsWith(`${code} `)),
      `${name} has the code that it is named after`,
    );
  }
});

t.test('every code has a broken stack, so that none goes untested', async (t) => {
  const shown = new Set(cases.map((name) => name.split('-')[0]!));
  const missing = Object.keys(diagnosticCodes).filter(
    (code) => !shown.has(code) && !(code in elsewhere),
  );
  t.same(missing, []);
  t.same(
    [...shown].filter((code) => !(code in diagnosticCodes)),
    [],
    'and no stack is left over',
  );
});

t.test('the documented table of codes is the one in force', async (t) => {
  const kept = readFileSync(diagnosticReferenceFile, 'utf8');
  t.equal(kept, diagnosticReference(), 'run: node test/tools/diagnostic-reference.ts');
});
