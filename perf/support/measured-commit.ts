import { provenance } from '../../bench/run/provenance.ts';

/** Of the program that is measured; outside of a checkout what VIGO_COMMIT says, else "unknown". */
export function measuredCommit(): string {
  return process.env.VIGO_COMMIT ?? provenance(new Date()).vigo.commit ?? 'unknown';
}
