import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import type { PlanReport } from '../../bench/plan/plan.ts';
import { reportSchema } from '../bench/support/report-schema.ts';
import { requires } from '../support/requires.ts';
import { eventually, TestDatabase } from './support/database.ts';

const launcher = new URL('../../bench/bin/vigobench', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

class BenchProcess {
  readonly #child;
  #out = '';
  errors = '';
  readonly ended: Promise<Ended>;

  constructor(words: readonly string[], temporary: string) {
    const env = { ...process.env, TMPDIR: temporary };
    this.#child = spawn(launcher, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
    this.ended = new Promise((resolve) =>
      this.#child.on('close', (code) => resolve({ code, out: this.#out, errors: this.errors })),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

function temporaryDirectory(t: { teardown(run: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-bench-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Processes whose command line names the directory, and `word` as one of its words. */
function processesOf(directory: string, word = ''): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return line.includes(directory) && line.includes(`${word}\0`);
    } catch {
      return false;
    }
  });
}

const skip = requires('linux');

t.test(
  'a server killed under its fleet has all of it back, without an alarm, and every report',
  { skip },
  async (t) => {
    const temporary = temporaryDirectory(t);
    const work = join(temporary, 'work');
    const words = [
      'herd',
      '--how',
      'kill',
      '--envoys',
      '50',
      '--interval',
      '4s',
      '--duration',
      '2s',
    ];
    const more = ['--changed', '50%', '--workers', '2', '--work-dir', work, '--json'];
    const { code, out, errors } = await new BenchProcess([...words, ...more], temporary).ended;
    t.equal(code, 0, errors);
    const report = JSON.parse(out) as Static<typeof reportSchema>;
    t.same([...Value.Errors(reportSchema, report)], [], 'stdout carries the report alone');
    const { checkins, server, reports, herd } = report;
    t.equal(herd?.back.envoys, 50, 'all are back');
    t.equal(herd?.false_offline, 0, 'and none of them was ever called offline');
    t.ok((herd?.reconnects ?? 0) >= 50, 'each over a connection of its own');
    t.equal(server.sql_statements_on_path, 0);
    t.equal(server.sql_driver_loaded, false);
    t.ok(checkins.done > 0 && server.checkins_served > 0);
    t.ok(report.verify_us > 0 && server.cpu_us_per_checkin > report.verify_us);
    t.ok(report.generator.cpu_us_per_checkin > 0);
    t.ok(reports.durable > 0);
    const runs = new TestDatabase(join(work, 'server/db/vigo.db')).reports();
    const stored = [...runs.values()].reduce((sum, sequences) => sum + sequences.length, 0);
    t.ok(stored >= reports.durable, 'each report that was acknowledged is in the database');
  },
);

t.test('check-ins that were signed ahead go with the reports between them', { skip }, async (t) => {
  const temporary = temporaryDirectory(t);
  const work = join(temporary, 'work');
  const words = ['fleet', '--envoys', '20', '--interval', '1s', '--duration', '5s', '--sign-ahead'];
  const more = ['--changed', '50%', '--work-dir', work, '--json'];
  const { code, out, errors } = await new BenchProcess([...words, ...more], temporary).ended;
  t.equal(code, 0, errors);
  const report = JSON.parse(out) as Static<typeof reportSchema>;
  const { checkins, reports, errors: codes } = report;
  const windowMs = report.options.duration_ms;
  const beganMs = Date.parse(report.measured_at);
  t.ok(
    beganMs <= Date.now() - windowMs,
    'a commit made meanwhile is not the one that was measured',
  );
  t.same(codes, {}, 'no sequence is used twice, and no signature is wrong');
  t.equal(checkins.missed, 0);
  t.ok(reports.durable > checkins.done / 4);
  const runs = new TestDatabase(join(work, 'server/db/vigo.db')).reports();
  t.equal(runs.size, 20);
  for (const sequences of runs.values()) {
    t.same(
      sequences,
      sequences.map((_, at) => at + 1),
      'every report is there once',
    );
  }
});

t.test('a day with everything at once is carried, and told', { skip }, async (t) => {
  const temporary = temporaryDirectory(t);
  const page = join(temporary, 'mixed.html');
  const words = ['mixed', '--envoys', '30', '--interval', '1s', '--duration', '2s', '--json'];
  const more = ['--viewers', '3', '--burst', '100%', '--html', page];
  const { code, out, errors } = await new BenchProcess([...words, ...more], temporary).ended;
  t.equal(code, 0, errors);
  const report = JSON.parse(out) as Static<typeof reportSchema>;
  t.same([...Value.Errors(reportSchema, report)], []);
  t.same(report.publish?.taken.envoys, 30, 'every envoy has the new policy');
  t.match(report.burst, { envoys: 30 }, 'every report is durable');
  t.ok((report.viewers?.requests ?? 0) > 0);
  t.equal(report.viewers?.failed, 0);
  t.match(readFileSync(page, 'utf8'), /<svg/);
});

t.test('a plan measures this machine and answers', { skip }, async (t) => {
  const temporary = temporaryDirectory(t);
  const words = ['plan', '--envoys', '1000', '--interval', '15s', '--seconds', '3', '--json'];
  const { code, out, errors } = await new BenchProcess(words, temporary).ended;
  t.equal(code, 0, errors);
  const plan = JSON.parse(out) as PlanReport;
  t.equal(plan.measured.points.length, 6);
  t.equal(plan.measured.points.filter((point) => point.held_out).length, 1);
  t.ok(Number.isFinite(plan.measured.error.cpu));
  t.ok(plan.answer.headroom > 0 && plan.table.length > 0);
  t.same(readdirSync(temporary), []);
});

t.test('Ctrl-C leaves neither a server nor a home behind', { skip }, async (t) => {
  const temporary = temporaryDirectory(t);
  const words = ['fleet', '--envoys', '5', '--interval', '1s', '--duration', '60s'];
  const bench = new BenchProcess(words, temporary);
  t.ok(await eventually(() => processesOf(temporary, 'start').length > 0), 'a server runs');
  bench.signal('SIGINT');
  const { code, out, errors } = await bench.ended;
  t.equal(code, 130);
  t.equal(out, '', 'no report of a run that did not end');
  t.match(errors, /BENCH_INTERRUPTED/);
  t.notMatch(errors, /\n\s+at /, 'no traceback');
  t.same(readdirSync(temporary), []);
  t.same(processesOf(temporary), []);
});

t.test('a command that is not understood says why and starts nothing', async (t) => {
  const temporary = temporaryDirectory(t);
  const words = ['fleet', '--envoys', '5', '--interval', 'often'];
  const { code, out, errors } = await new BenchProcess(words, temporary).ended;
  t.equal(code, 64);
  t.equal(out, '');
  t.match(errors, /BENCH_USAGE.*--interval/);
  t.same(readdirSync(temporary), []);
});
