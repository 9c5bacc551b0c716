import { approvalsPage } from './approvals.ts';
import { comparePage } from './compare.ts';
import { rolloutPage } from './rollout.ts';
import { versionPage } from './version.ts';
import { versionsPage } from './versions.ts';

/** The comparison stands before the versions, whose path it would fit. */
export const policyPages = [versionsPage, comparePage, versionPage, approvalsPage, rolloutPage];
