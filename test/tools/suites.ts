/** The suites of `npm test`, fastest first, so that a mistake shows early. */
export interface Suite {
  readonly name: string;
  /** What a reader learns from a failure here. */
  readonly proves: string;
  /** Globs of test files, relative to the project. */
  readonly files: readonly string[];
  /** Test files at once. Two that start servers or hosts wait for intervals more than for the processor. */
  readonly jobs: number;
  /** Ceiling for one file, seconds. */
  readonly timeoutSeconds: number;
}

export const suites: readonly Suite[] = [
  {
    name: 'laws',
    proves: 'the rooms import only what the design allows, and the style limits hold',
    files: ['test/laws/**/*.test.ts'],
    jobs: 2,
    timeoutSeconds: 60,
  },
  {
    name: 'unit',
    proves: 'every room keeps its promises on its own',
    files: ['test/{runtime,agent,actors,admin,bench,perf}/**/*.test.ts'],
    jobs: 2,
    timeoutSeconds: 180,
  },
  {
    name: 'end-to-end',
    proves: 'the programs work together as processes, also when they are killed',
    files: ['test/end-to-end/**/*.test.ts'],
    jobs: 2,
    timeoutSeconds: 600,
  },
  {
    name: 'lab',
    proves: 'the agent is right on real Debian hosts with systemd',
    files: ['test/lab/**/*.lab.test.ts'],
    jobs: 2,
    timeoutSeconds: 900,
  },
];
