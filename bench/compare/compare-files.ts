import { readFileSync } from 'node:fs';
import { BenchError } from '../errors.ts';
import { type Fact, fact, type ReportView } from '../present/view.ts';
import { type Provenance, vigoName } from '../run/provenance.ts';
import { compareReports, type Difference, unlikeSettings } from './compare.ts';

export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly tolerance: number;
  /** What each run says about itself; reports of earlier versions say less. */
  readonly about: readonly [a: Partial<Provenance>, b: Partial<Provenance>];
  readonly unlike: readonly string[];
  readonly differences: readonly Difference[];
}

/** Throws BENCH_FILE. */
export function compareFiles(a: string, b: string, tolerance: number): Comparison {
  const [left, right] = [readReport(a), readReport(b)];
  const differences = compareReports(left, right, tolerance);
  const about = [aboutOf(left), aboutOf(right)] as const;
  return { a, b, tolerance, about, unlike: unlikeSettings(left, right), differences };
}

export function comparisonView({
  a,
  b,
  tolerance,
  about,
  unlike,
  differences,
}: Comparison): ReportView {
  const worse = differences.filter(({ verdict }) => verdict === 'worse');
  const better = differences.filter(({ verdict }) => verdict === 'better');
  const percent = `${Math.round(tolerance * 100)} %`;
  return {
    title: `${a} and ${b}`,
    verdict: {
      good: worse.length === 0,
      text: `${worse.length} figures are worse, ${better.length} better, by more than ${percent}.`,
    },
    sections: [
      { title: '', facts: [aboutFact('A', a, about[0]), aboutFact('B', b, about[1])] },
      {
        title: '',
        table: {
          columns: ['Figure', 'A', 'B', 'B / A', ''],
          rows: [
            ...worse,
            ...better,
            ...differences.filter(({ verdict }) => verdict === 'same'),
          ].map(({ name, a: before, b: after, factor, verdict }) => [
            name,
            String(before),
            String(after),
            Number.isFinite(factor) ? factor.toFixed(2) : 'new',
            verdict,
          ]),
        },
      },
    ],
    charts: [],
    warnings: unlike.map((setting) => `the runs differ in ${setting}`),
  };
}

function aboutOf(report: object): Partial<Provenance> {
  const { measured_at, vigo } = report as Partial<Provenance>;
  return { ...(measured_at && { measured_at }), ...(vigo && { vigo }) };
}

function aboutFact(name: string, file: string, { measured_at, vigo }: Partial<Provenance>): Fact {
  const words = [file, vigo && `Vigo ${vigoName(vigo)}`, measured_at];
  return fact(name, words.filter((word) => word !== undefined).join(', '));
}

function readReport(file: string): object {
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof report === 'object' && report !== null && 'machine' in report) return report;
    throw new Error('it is no report of vigobench (--json)');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BenchError('BENCH_FILE', `${file}: ${reason}`);
  }
}
