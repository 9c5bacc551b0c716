import type { AuditEventTypeName } from '../../../../actors/audit/event-types.ts';

/** Events upon which what is live, waits or is frozen may be another. */
export const policyEvents: readonly AuditEventTypeName[] = [
  'policy.published',
  'policy.rolled_back',
  'policy.frozen',
  'policy.unfrozen',
  'candidate.created',
  'candidate.approved',
  'candidate.rejected',
  'rollout.started',
  'rollout.stage_started',
  'rollout.paused',
  'rollout.resumed',
  'rollout.ended',
  'rollout.rolled_back',
  'rollout.completed',
];
