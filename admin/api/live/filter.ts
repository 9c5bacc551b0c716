import picomatch from 'picomatch';
import { AdminError } from '../../errors.ts';
import type { EventHead } from './journal.ts';

const patternsMax = 50;
const patternForm = /^[a-z_.*]{1,60}$/;

/** What one viewer wants of the events. */
export interface EventFilter {
  /** The same for filters that accept the same. */
  readonly key: string;
  accepts(event: EventHead): boolean;
}

/**
 * `types`: comma-separated names or globs ("rollout.*,policy.published"); `envoys`: comma-separated
 * UUIDs. Absent: all. `audited`: only what stands in the audit log. Throws API_BAD_REQUEST.
 */
export function eventFilter(
  types: string | undefined,
  envoys: readonly string[] | undefined,
  audited = false,
): EventFilter {
  const patterns = types?.split(',').map((pattern) => pattern.trim());
  if (patterns !== undefined && patterns.length > patternsMax) {
    throw new AdminError('API_BAD_REQUEST', `type has more than ${patternsMax} patterns`);
  }
  const wrong = patterns?.find((pattern) => !patternForm.test(pattern));
  if (wrong !== undefined) {
    throw new AdminError('API_BAD_REQUEST', `type is no event type or glob: ${wrong.slice(0, 60)}`);
  }
  const fits = patterns === undefined ? () => true : picomatch([...patterns]);
  const wanted = envoys === undefined ? undefined : new Set(envoys);
  return {
    key: `${patterns?.join(',') ?? '*'} ${envoys?.join(',') ?? '*'} ${audited}`,
    accepts: ({ type, envoyId, auditSequence }) =>
      fits(type) &&
      (!audited || auditSequence !== undefined) &&
      (wanted === undefined || (envoyId !== undefined && wanted.has(envoyId))),
  };
}
