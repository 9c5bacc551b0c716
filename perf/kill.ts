/**
 * Kills a server under load at random moments and proves that nothing acknowledged was lost:
 * `node perf/kill.ts --help`. The end-to-end test does the same for a shorter time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { killRun } from './support/kill-run.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    envoys: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    pause: { type: 'string', default: '500' },
    compiled: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/kill.ts [--kills 200] [--envoys 500] [--seed 1] [--json]\n' +
      '  --pause <ms>: between two reports of one envoy, on average (500)\n' +
      '  --compiled <directory>: take the server from this dist/ instead of its sources\n' +
      'Ctrl-C ends the kills and judges those that were done.\n' +
      'Exit code 1 when an acknowledged report is lost or twice there, or the audit chain is broken.\n',
  );
  process.exit();
}

const directory = mkdtempSync(join(tmpdir(), 'vigo-kill-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const { compiled } = values;
const result = await killRun({
  kills: Number(values.kills),
  envoys: Number(values.envoys),
  seed: Number(values.seed),
  pauseMs: Number(values.pause),
  directory,
  signal: stop.signal,
  ...(compiled === undefined
    ? {}
    : { programs: { root: resolve(compiled), extension: 'js' as const } }),
  onKill: (done, restartMs) => {
    const what = restartMs === undefined ? 'killed while it starts' : `${Math.round(restartMs)} ms`;
    process.stderr.write(`restart ${done} of ${values.kills}: ${what}\n`);
  },
});
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) console.log(name, JSON.stringify(value));
process.exitCode = result.lost === 0 && result.duplicated === 0 ? 0 : 1;
