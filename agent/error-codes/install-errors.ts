import type { AgentErrorEntry } from './entry.ts';

/** What putting the agent on a machine refuses and fails with; part of the registry of agent/errors.ts. */
export const installErrors = {
  AGENT_INSTALL_NOT_ROOT: {
    message: 'Only root can put vigo on this machine or take it away',
    remedy: 'Run the same with sudo.',
    exitCode: 4,
  },
  AGENT_INSTALL_NOT_BUILT: {
    message: 'This vigo runs from source and is not one program that could be installed',
    remedy: 'Use the line that `vigocli tokens create` prints, or build one: npm run build:agent.',
    exitCode: 4,
  },
  AGENT_INSTALL_OCCUPIED: {
    message: 'Something that is not of vigo is where vigo belongs',
    remedy: 'Move it away, then run the same again.',
    exitCode: 4,
  },
  AGENT_INSTALL_SERVICE_MANAGER: {
    message: 'No service manager that vigo knows runs on this machine',
    remedy: 'Name one with --init, or add --no-service and start `vigo daemon` yourself.',
    exitCode: 4,
  },
  AGENT_INSTALL_OTHER_SERVER: {
    message: 'This machine is already enrolled, with another server',
    remedy: 'To move it, add --reenroll; it then forgets the policy and results of the old one.',
    exitCode: 4,
  },
  AGENT_INSTALL_FAILED: {
    message: 'The installation did not come to its end; what it had changed is as before',
    remedy: 'Remove the cause that is named, then run the same again.',
  },
} as const satisfies Readonly<Record<string, AgentErrorEntry>>;
