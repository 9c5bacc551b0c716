/** Every error that vigobench ends with. */
const registry = {
  BENCH_USAGE: { message: 'the command was not understood', exitCode: 64 },
  BENCH_SERVER: { message: 'the server under test did not do its part', exitCode: 5 },
  BENCH_LIMIT: { message: 'this machine does not allow that many connections', exitCode: 4 },
  BENCH_GENERATOR: { message: 'the generator failed', exitCode: 1 },
} as const satisfies Record<string, { message: string; exitCode: number }>;

export type BenchErrorCode = keyof typeof registry;

export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;
  readonly exitCode: number;

  constructor(code: BenchErrorCode, detail: string) {
    super(`${registry[code].message}: ${detail}`);
    this.code = code;
    this.exitCode = registry[code].exitCode;
  }
}

export const benchErrorRegistry: Readonly<Record<BenchErrorCode, { message: string }>> = registry;
