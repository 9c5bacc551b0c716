import type { AgentErrorEntry } from './entry.ts';

/** What the agent's update of itself refuses and fails with; part of the registry of agent/errors.ts. */
export const updateErrors = {
  PROTOCOL_UPDATE_MALFORMED: {
    message: 'The order to update the agent is not complete',
    remedy: 'Upgrade the older of the two sides by hand.',
    exitCode: 4,
  },
  PROTOCOL_UPDATE_SIGNATURE: {
    message: 'The order to update the agent is not signed by the pinned server key',
    remedy: 'Find out who answered; if the server was rebuilt, register this node again.',
    exitCode: 4,
  },
  PROTOCOL_UPDATE_WRONG_ENVOY: {
    message: 'The order to update the agent is signed for another envoy',
    remedy: 'Find out why; a copied state directory must be removed before registering again.',
    exitCode: 4,
  },
  PROTOCOL_UPDATE_EXPIRED: {
    message: 'The order to update the agent has expired',
    remedy: 'Check the clock of this node; the server orders again at the next check-in.',
    exitCode: 4,
  },
  PROTOCOL_RELEASE_MALFORMED: {
    message: 'The release manifest is not valid',
    remedy: 'Sign the release again with the tools of this version.',
    exitCode: 4,
  },
  PROTOCOL_RELEASE_SIGNATURE: {
    message: 'The release is not signed by a key that this node trusts for releases',
    remedy: 'Sign it with the release key that was pinned at registration; see docs/updates.md.',
    exitCode: 4,
  },
  PROTOCOL_RELEASE_PLATFORM: {
    message: 'The release was not built for this platform',
    remedy: 'Add the artefact of this platform: vigocli releases add --platform.',
    exitCode: 4,
  },
  PROTOCOL_RELEASE_MINIMUM: {
    message: 'This agent is too old to go to the release in one step',
    remedy: 'Roll out a release between the two first.',
    exitCode: 4,
  },
  PROTOCOL_RELEASE_DOWNGRADE: {
    message: 'The release is older than what runs and is not signed as a step back from it',
    remedy: 'Use vigocli releases return, or sign it with --downgrade-from.',
    exitCode: 4,
  },
  AGENT_UPDATE_UNSUPPORTED: {
    message: 'This agent cannot update itself, since it does not run from an installed version',
    remedy: 'Install it as docs/install.md says, or update it by the means that installed it.',
    exitCode: 4,
  },
  AGENT_UPDATE_HASH: {
    message: 'The artefact of the release is not the one that was signed',
    remedy: 'It was altered on the server or on the way; add the release again.',
    exitCode: 4,
  },
  AGENT_UPDATE_SELF_CHECK: {
    message: 'The new version does not work on this node and was not started',
    remedy: 'Run its self-check by hand; the release needs what this node does not have.',
    exitCode: 4,
  },
  AGENT_UPDATE_DISK: {
    message: 'The new version could not be written',
    remedy: 'Free space, or correct the permissions of the program directory; it is tried again.',
  },
  AGENT_UPDATE_NO_START: {
    message: 'The new version could not be started; the old one is back',
    remedy: 'Repair the release; it is not tried again before the release changes.',
  },
  AGENT_UPDATE_ENDED: {
    message: 'The new version ended again and again; the old one is back',
    remedy:
      'Read the log of the agent on the node; it is not tried again before the release changes.',
  },
  AGENT_UPDATE_NO_CHECK_IN: {
    message: 'The new version did not check in in time; the old one is back',
    remedy:
      'Read the log of the agent on the node; it is not tried again before the release changes.',
  },
  AGENT_UPDATE_INTERRUPTED: {
    message: 'The trial of the new version was interrupted too often; the old one is back',
    remedy: 'Find out why the node or its agent was restarted; it is tried again.',
  },
  AGENT_UPDATE_TRIALS: {
    message: 'The new version was tried as often as it may be; the old one is back',
    remedy: 'Bring the server back within reach, then add the release again.',
  },
} as const satisfies Record<string, AgentErrorEntry>;
