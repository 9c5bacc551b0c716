/** Every error that vigobench ends with, with its exit code. */
const registry = {
  BENCH_USAGE: {
    message: 'the command was not understood',
    remedy: '`vigobench --help` lists the commands, `vigobench COMMAND --help` its options.',
    exitCode: 64,
  },
  BENCH_SERVER: {
    message: 'the server under test did not do its part',
    remedy: 'Read the end of its log above; --work-dir keeps the whole log.',
    exitCode: 5,
  },
  BENCH_LIMIT: {
    message: 'this machine does not allow that many connections',
    remedy: 'Use fewer envoys, or raise the limit of open files (ulimit -n).',
    exitCode: 4,
  },
  BENCH_GENERATOR: {
    message: 'the generator failed',
    remedy: 'Use fewer envoys; when it stays, report this as a defect.',
    exitCode: 1,
  },
  BENCH_SQL_ON_PATH: {
    message: 'the server touched SQL on the path of a check-in',
    remedy: 'This breaks a promise of the server; report it as a defect.',
    exitCode: 6,
  },
  BENCH_FILE: {
    message: 'a file could not be read or written',
    remedy: 'Check the path; compare takes what --json printed.',
    exitCode: 2,
  },
  BENCH_WORSE: {
    message: 'the second run is worse than was allowed',
    remedy: 'The table above says in which figures; repeat both on a quiet machine.',
    exitCode: 7,
  },
  BENCH_INTERRUPTED: {
    message: 'stopped before the end',
    remedy: 'Start it again to get a report.',
    exitCode: 130,
  },
} as const satisfies Record<string, { message: string; remedy: string; exitCode: number }>;

export type BenchErrorCode = keyof typeof registry;

export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;
  readonly remedy: string;
  readonly exitCode: number;

  constructor(code: BenchErrorCode, detail: string) {
    super(`${registry[code].message}: ${detail}`);
    this.code = code;
    this.remedy = registry[code].remedy;
    this.exitCode = registry[code].exitCode;
  }
}

export const benchErrorRegistry: Readonly<
  Record<BenchErrorCode, { message: string; remedy: string; exitCode: number }>
> = registry;
