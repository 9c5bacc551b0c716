/**
 * What one connection, one check-in and one report cost the server, in signature verifications of
 * the same run, and by function; compared with what is kept. `node perf/regression.ts --help`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { describeFinding, findRegressions, type RegressionFigures } from './regression/figures.ts';
import { measureServer } from './regression/measure.ts';
import { measuredCommit } from './support/measured-commit.ts';

const keptFile = new URL('results/regression.json', import.meta.url).pathname;
const { values } = parseArgs({
  options: {
    against: { type: 'string', default: keptFile },
    'check-ins': { type: 'string', default: '20000' },
    envoys: { type: 'string', default: '100' },
    tolerance: { type: 'string', default: '0.25' },
    plant: { type: 'string', default: '' },
    update: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/regression.ts [--check-ins 20000] [--envoys 100] [--tolerance 0.25]\n' +
      '  --against <file>   compare with this result (default: perf/results/regression.json)\n' +
      '  --update           keep what was measured there, instead of comparing\n' +
      '  --plant <module>   every thread of the server loads it first: a fault to be found\n' +
      '  --json             print what was measured\n' +
      'Ends with 1 when something got worse, and says what and in which functions.\n',
  );
  process.exit();
}

const directory = mkdtempSync(join(tmpdir(), 'vigo-regression-'));
let measured: Awaited<ReturnType<typeof measureServer>>;
try {
  const plant = values.plant === '' ? {} : { plant: pathToFileURL(resolve(values.plant)).href };
  measured = await measureServer({
    ...{ directory, ...plant },
    envoys: Number(values.envoys),
    checkIns: Number(values['check-ins']),
  });
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const figures: RegressionFigures = {
  command: `node perf/regression.ts ${process.argv.slice(2).join(' ')}`.trim(),
  date: new Date().toISOString().slice(0, 10),
  commit: measuredCommit,
  ...measured,
};
if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
if (values.update) writeFileSync(values.against, `${JSON.stringify(figures, null, 2)}\n`);
else compare(JSON.parse(readFileSync(values.against, 'utf8')) as RegressionFigures);

function compare(kept: RegressionFigures): void {
  const findings = findRegressions(kept, figures, Number(values.tolerance));
  for (const [path, { cpu_to_verify }] of Object.entries(figures.paths)) {
    const before = kept.paths[path as keyof typeof kept.paths].cpu_to_verify;
    process.stderr.write(`${path}: ${before} -> ${cpu_to_verify} verifications (${kept.commit})\n`);
  }
  for (const finding of findings) process.stderr.write(`${describeFinding(finding)}\n`);
  if (findings.length > 0) process.exitCode = 1;
  else process.stderr.write('nothing got worse\n');
}
