import type { PassResult } from '../../agent/converge/result.ts';
import { labBackends } from './type-backends.ts';
import { caseOf, recordCoverage } from './type-coverage.ts';

const backends = new WeakMap<object, Readonly<Record<string, string>>>();

/** Of a host that is no Debian with systemd: the back-end of each type that has several. */
export function backendsOf(host: object, own: Readonly<Record<string, string>>): void {
  backends.set(host, { ...labBackends, ...own });
}

/** What a pass on a real host showed. */
export function recordPass(host: object, { dryRun, resources }: PassResult): void {
  if (dryRun) return;
  for (const outcome of resources) {
    const backend = (backends.get(host) ?? labBackends)[outcome.type] ?? '';
    recordCoverage({ type: outcome.type, backend, case: caseOf(outcome), kind: 'real' });
  }
}
