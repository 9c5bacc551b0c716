import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { diagnosticCodes } from '../../../actors/publish/stack/diagnostic-codes.ts';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../../actors/publish/stack/stack-files.ts';
import { nodeClock } from '../../../runtime/ports/node-clock.ts';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';
import { diagnosticReference, diagnosticReferenceFile } from '../../tools/diagnostic-reference.ts';

/**
 * test/corpus/broken/<code>-<what>/: a small stack under `stack/`, and in `expected.txt` what validation
 * says of it, a line each: "<code> <file>:<line>:<column>". UPDATE_CORPUS=1 writes those anew.
 */
const corpus = new URL('../../corpus/broken/', import.meta.url);
const cases = readdirSync(corpus).sort();

/** Codes that no files by themselves can cause; the test that has each. */
const elsewhere: Readonly<Record<string, string>> = {
  PUBLISH_CHANGING: 'hostile-files.test.ts',
  PUBLISH_SECRET: 'stack-secrets.test.ts',
};

/** Stands for the network: nobody is there. */
const deadNetwork = {
  probe: { ask: async () => ({ alive: false, reason: 'no such host' }) as const },
  clock: nodeClock(),
};

async function findings(name: string): Promise<string[]> {
  const diagnostics = new Diagnostics();
  const directory = new URL(`${name}/stack`, corpus).pathname;
  const files = await readStackFiles(nodeDisk(), directory, diagnostics);
  const { result } = await compileStack(files, diagnostics, { urls: deadNetwork });
  return result.diagnostics.map(
    ({ code, file, line, column }) => `${code} ${file}:${line}:${column}`,
  );
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
