import type { AgentErrorEntry } from './entry.ts';

/** What the type selinux refuses and fails with; part of the registry of agent/errors.ts. */
export const selinuxErrors = {
  AGENT_SELINUX_OFF: {
    message: 'SELinux does not run on this machine',
    remedy: 'Guard the resource with a condition such as traits.selinux.enabled == true.',
  },
  AGENT_SELINUX_MISSING: {
    message: 'SELinux is not set up on this machine',
    remedy: 'Declare the packages of its policy first, or guard the resource with a condition.',
  },
  AGENT_SELINUX_BOOLEAN: {
    message: 'The loaded policy has no such boolean',
    remedy: 'Correct the name (getsebool -a lists them), or declare the policy module first.',
  },
  AGENT_SELINUX_FAILED: {
    message: 'The SELinux tool refused the change',
    remedy: 'Run the same by hand on the node and read its output.',
  },
  AGENT_SELINUX_BUSY: {
    message: 'Another program changes the SELinux policy',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
} as const satisfies Record<string, AgentErrorEntry>;
