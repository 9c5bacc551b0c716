/**
 * What does it cost to find that nothing is to do? The agent beside cf-agent, puppet apply and
 * ansible-playbook -c local, with the same description of the same real host, in one run. Each tool is
 * first seen to change nothing, and in the end to repair what was broken by hand.
 * `node perf/peers.ts [--scenario files|mixed] [--runs 5] [--output perf/results/peers.json]`.
 * Needs root, the tools of the lab and Debian's archive. The CPU of daemons that a tool asks (systemd)
 * is not counted, for none of them.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { filesHost, fullHost } from './mixed/description.ts';
import { compare } from './peers/compare.ts';
import { markdown } from './peers/table.ts';
import { measuredCommit } from './support/measured-commit.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    runs: { type: 'string', default: '5' },
    'idle-passes': { type: 'string', default: '4' },
    output: { type: 'string' },
  },
});
const all = { files: filesHost, mixed: fullHost };
const chosen = Object.entries(all).filter(
  ([name]) => values.scenario === undefined || values.scenario === name,
);
const startedAt = new Date().toISOString();
const loadBefore = loadavg();
const results = await compare({
  scenarios: Object.fromEntries(chosen),
  runs: Number(values.runs),
  idlePasses: Number(values['idle-passes']),
  onProgress: (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`),
});
const report = {
  startedAt,
  commit: measuredCommit,
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  load: { before: loadBefore, after: loadavg() },
  results,
};
if (values.output !== undefined)
  writeFileSync(values.output, `${JSON.stringify(report, undefined, 2)}\n`);
console.log(markdown(results));
