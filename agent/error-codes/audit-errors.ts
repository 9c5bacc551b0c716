import type { AgentErrorEntry } from './entry.ts';

const remedy =
  'If a backup of the server was restored: vigocli audit acknowledge-restore. If not, somebody ' +
  'changed the log: keep audit-evidence.json of this node and compare with an export.';

/** What the agent finds out about the server's audit log; part of the registry of agent/errors.ts. */
export const auditErrors = {
  AGENT_AUDIT_TRUNCATED: {
    message: 'The audit log of the server is shorter than this node has seen it',
    remedy,
  },
  AGENT_AUDIT_FORKED: {
    message: 'The server signed two audit logs of one length',
    remedy,
  },
  AGENT_AUDIT_REWRITTEN: {
    message: 'The audit log of the server does not continue the one that this node has seen',
    remedy,
  },
  AGENT_AUDIT_CHECKPOINT: {
    message: 'The checkpoint of the audit log is not signed by the pinned server key',
    remedy: 'Find out who answered; if the server was rebuilt, register this node again.',
  },
} as const satisfies Record<string, AgentErrorEntry>;
