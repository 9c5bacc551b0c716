/** Rows of one INSERT or ids of one IN: SQLite takes 32766 parameters, the statement cache few texts. */
export const insertChunk = 64;
/** Events that one transaction takes over from an outbox. */
export const drainBatchLimit = 500;
/** Records and audit events of one `write`. */
export const writeLimit = 10_000;
/** Identities of one page of the export. */
export const exportPageLimit = 5000;
/**
 * How long a report waits for an earlier one that is missing before that one is given up: an agent
 * drops its oldest reports when its queue is full, and those never come.
 */
export const gapPatienceMs = 600_000;
/** Results that are stored of one run. */
export const resultsPerRunLimit = 5000;
/** Longest text that is stored of a reason, an id or a code. */
export const textLimit = 4096;
export const diffLimit = 16_384;
