import { provenance } from '../../bench/run/provenance.ts';

/**
 * Of the program that is measured, as it is when the script begins; outside of a checkout what VIGO_COMMIT
 * says, else "unknown".
 */
export const measuredCommit: string =
  process.env.VIGO_COMMIT ?? provenance(new Date()).vigo.commit ?? 'unknown';
