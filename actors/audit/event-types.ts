interface AuditEventType {
  readonly meaning: string;
  /** Anybody on the network can cause it at will: kept once per subject and minute, counted beyond. */
  readonly floodable?: boolean;
}

/** Everything that the audit log may hold. A type that is not listed here is a programming error. */
export const auditEventTypes = {
  'server.started': { meaning: 'The server began to serve.' },
  'server.stopped': { meaning: 'The server was stopped in order.' },
  'server.thread_replaced': { meaning: 'A thread of the server died and was replaced.' },
  'server.certificate_renewed': { meaning: 'The server issued itself a new TLS certificate.' },
  'home.created': { meaning: 'The server home, its CA and its keys were made.' },
  'token.created': { meaning: 'An administrator made an enrollment token.' },
  'token.revoked': { meaning: 'An administrator revoked an enrollment token.' },
  'access.token_created': {
    meaning: 'An administrator made an API token for a person or program.',
  },
  'access.token_revoked': { meaning: 'An administrator revoked an API token.' },
  'account.setup_done': {
    meaning: 'The first administrator was made, with the code that the console shows.',
  },
  'account.setup_refused': { meaning: 'A setup code was wrong.', floodable: true },
  'account.created': { meaning: 'An administrator made an account.' },
  'account.changed': { meaning: 'An administrator changed name, role or grants of an account.' },
  'account.disabled': { meaning: 'An administrator disabled an account; its sessions ended.' },
  'account.enabled': { meaning: 'An administrator enabled an account again.' },
  'account.deleted': { meaning: 'An administrator deleted an account; its name stays taken.' },
  'account.password_changed': { meaning: 'A person changed the own password.' },
  'account.password_reset': { meaning: 'An administrator gave an account a new password.' },
  'account.totp_enabled': { meaning: 'A person set up a second factor.' },
  'account.totp_removed': { meaning: 'A person removed the own second factor.' },
  'account.totp_reset': { meaning: 'An administrator removed the second factor of an account.' },
  'account.recovery_used': { meaning: 'A recovery code was used; details.left are left.' },
  'account.login_failed': {
    meaning: 'A login was refused; the subject is the account, or unknown.',
    floodable: true,
  },
  'account.logged_in': { meaning: 'A person proved who they are and got a session.' },
  'account.logged_out': { meaning: 'One session was ended; details.reason says why.' },
  'account.sessions_ended': {
    meaning: 'All sessions of an account were ended; details.reason says why.',
  },
  'account.key_added': { meaning: 'A public key was added with which an account may log in.' },
  'account.key_removed': { meaning: 'A public key of an account was removed.' },
  'account.identity_linked': {
    meaning: 'A subject at an OpenID provider may log in as an account from now on.',
  },
  'account.identity_unlinked': {
    meaning: 'Nobody at the OpenID provider of details.issuer may log in as the account any more.',
  },
  'account.login_refused': {
    meaning: 'A login by key or OpenID provider was refused; details.code says why.',
    floodable: true,
  },
  'enrollment.accepted': { meaning: 'A machine was enrolled and got a certificate.' },
  'enrollment.repeated': {
    meaning: 'A machine asked again with its own key and token and got a new certificate.',
  },
  'enrollment.renewed': {
    meaning: 'An envoy, proven by its certificate, got a new key and certificate for a new token.',
  },
  'enrollment.refused': {
    meaning: 'A registration was refused; details.code says why.',
    floodable: true,
  },
  'enrollment.provisioned': { meaning: 'Identities were made in advance with vigosrv provision.' },
  'envoy.maintenance_began': {
    meaning:
      'An administrator began work on a machine: it raises no alarm; details.reason says why.',
  },
  'envoy.maintenance_ended': { meaning: 'An administrator ended the work on a machine.' },
  'envoy.revoked': { meaning: 'An administrator revoked a machine, for ever.' },
  'policy.publish_started': { meaning: 'A valid stack is about to become a policy version.' },
  'policy.published': { meaning: 'A policy version was published.' },
  'policy.rolled_back': { meaning: 'A new policy version brought the stack of an old one back.' },
  'policy.frozen': { meaning: 'An administrator froze publishing.' },
  'policy.unfrozen': { meaning: 'An administrator ended a freeze or lifted a freeze window.' },
  'candidate.created': {
    meaning: 'A valid stack waits for the approval of a second administrator.',
  },
  'candidate.approved': { meaning: 'A second administrator approved a candidate.' },
  'candidate.rejected': { meaning: 'An administrator rejected or withdrew a candidate.' },
  'candidate.refused': { meaning: 'An approval was refused; details.code says why.' },
  'rollout.started': { meaning: 'A policy version began to be rolled out under watch.' },
  'rollout.stage_started': { meaning: 'A stage of a rollout reached its envoys.' },
  'rollout.stage_passed': { meaning: 'A stage of a rollout was healthy for as long as it had to.' },
  'rollout.paused': { meaning: 'A rollout was paused.' },
  'rollout.resumed': { meaning: 'A rollout goes on.' },
  'rollout.stopped': { meaning: 'A rollout was stopped; details.reason and figures say why.' },
  'rollout.rolled_back': { meaning: 'A stopped rollout brought the last good version back.' },
  'rollout.ended': { meaning: 'An administrator ended a rollout before its time.' },
  'rollout.completed': { meaning: 'A policy version is rolled out and was watched to the end.' },
  'release.added': { meaning: 'A release of the agent was added, signed by details.signedBy.' },
  'release.removed': { meaning: 'An administrator removed a release of the agent.' },
  'release.rollout_started': { meaning: 'An administrator began to roll out a release.' },
  'release.rollout_changed': { meaning: 'An administrator changed who gets a release.' },
  'release.rollout_paused': {
    meaning: 'The rollout of a release was paused, by the server when too many envoys failed.',
  },
  'release.rollout_resumed': { meaning: 'The rollout of a release goes on.' },
  'release.rollout_stopped': { meaning: 'The rollout of a release was ended.' },
  'release.rollout_returned': {
    meaning: 'An administrator sent envoys back from a version to an older one.',
  },
  'update.started': { meaning: 'An envoy accepted the order to run another version.' },
  'update.tried': { meaning: 'An envoy started another version on trial.' },
  'update.accepted': { meaning: 'The new version proved itself on an envoy and stays.' },
  'update.failed': {
    meaning: 'An envoy refused or could not install a version; details.code says why.',
  },
  'update.returned': {
    meaning: 'A version did not prove itself on an envoy; the old one is back.',
  },
  'update.postponed': {
    meaning: 'The server was away during the trial of a version; it is tried again.',
  },
  'policy.refused': { meaning: 'A publish was refused because the stack is not valid.' },
  'secret.store_initialised': { meaning: 'The master key of the secret store was made.' },
  'secret.store_rekeyed': { meaning: 'The secret store was encrypted under a new master key.' },
  'secret.set': { meaning: 'An administrator set a secret; its users are told.' },
  'secret.rotated': { meaning: 'A secret was replaced by a random one; its users are told.' },
  'secret.refreshed': { meaning: 'Users of a secret were told that its store has changed it.' },
  'secret.revealed': { meaning: 'An administrator was shown the value of a secret.' },
  'secret.refused': {
    meaning: 'An envoy asked for a secret that its own bundle does not refer to.',
    floodable: true,
  },
  'request.refused': {
    meaning: 'A request of an envoy was refused; details.code says why.',
    floodable: true,
  },
  'request.bad_signature': { meaning: 'A request had a wrong signature.', floodable: true },
  'request.replayed': { meaning: 'A request came twice or out of order.', floodable: true },
  'request.clock_skew': { meaning: 'The clock of an envoy is off by too much.', floodable: true },
  'request.identity_mismatch': {
    meaning: 'An envoy used a connection or a signature of another one.',
    floodable: true,
  },
  'request.revoked': { meaning: 'A revoked envoy came back and was refused.', floodable: true },
  'agent.incident': { meaning: 'An agent reported that it refused something.', floodable: true },
  'api.refused': { meaning: 'A REST request was refused for its credential.', floodable: true },
  'audit.restore_acknowledged': {
    meaning:
      'An administrator said that the log was restored from a backup; envoys take the shorter log.',
  },
  'backup.created': { meaning: 'An administrator made a backup; details.sha256 is its hash.' },
  'backup.taken': { meaning: 'An administrator took a backup off the server.' },
  'backup.restored': {
    meaning: 'The server started from a backup that was restored; details.backup says which.',
  },
  'sink.event_unreadable': {
    meaning: 'An event of a fleet shard could not be read and was left out.',
    floodable: true,
  },
  'audit.unlisted_type': {
    meaning: 'A part of the server sent an event type that is not in this list.',
    floodable: true,
  },
} as const satisfies Record<string, AuditEventType>;

export type AuditEventTypeName = keyof typeof auditEventTypes;

export function isAuditEventType(type: string): type is AuditEventTypeName {
  return Object.hasOwn(auditEventTypes, type);
}

export function isFloodable(type: string): boolean {
  if (!isAuditEventType(type)) return true;
  const entry: AuditEventType = auditEventTypes[type];
  return entry.floodable === true;
}
