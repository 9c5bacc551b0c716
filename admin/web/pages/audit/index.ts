import { auditEntryPage } from './entry.ts';
import { auditExportPage } from './export.ts';
import { auditLogPage } from './log.ts';

/** The export stands before the entries, whose path it would fit. */
export const auditPages = [auditLogPage, auditExportPage, auditEntryPage];
