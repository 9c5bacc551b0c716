import { createHash } from 'node:crypto';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { codeOf, ServerError } from '../errors.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { FederationMessages } from './messages.ts';

const mailboxLimit = 1000;
const idleAfterMs = 600_000;
const sinkDeadlineMs = 15_000;
/** Keys of one account, and identities of one account. */
export const proofsPerAccount = 20;
const commentLengthMax = 100;
const textLengthMax = 255;
const keyForm = /^[0-9a-f]{64}$/;

type FederationTurn = Turn<undefined>;
type Payload<T extends keyof FederationMessages> = FederationMessages[T]['payload'];

/** Keeps public keys and provider identities of accounts; each change is an audit event. */
export function federationKind(): ActorKind<undefined, FederationMessages> {
  return {
    name: 'federation',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: { addKey, removeKey, linkIdentity, unlinkIdentity, loginRefused },
  };
}

async function addKey(
  turn: FederationTurn,
  { accountId, publicKey, comment, by }: Payload<'addKey'>,
): Promise<{ fingerprint: string }> {
  if (!keyForm.test(publicKey)) {
    throw new ServerError('FEDERATION_BAD_REQUEST', { reason: 'this is no Ed25519 key' });
  }
  const fingerprint = fingerprintOf(Buffer.from(publicKey, 'hex'));
  const createdAtMs = turn.ports.clock.nowMs();
  const short = comment.slice(0, commentLengthMax);
  const key = { fingerprint, publicKey, accountId, comment: short, createdAtMs, createdBy: by };
  const event = newAuditEvent(turn, 'account.key_added', by, accountId, {
    fingerprint,
    comment: short,
  });
  await write(turn, [{ record: 'accountKey', key, limit: proofsPerAccount }], [event], {
    taken: new ServerError('FEDERATION_KEY_TAKEN', { fingerprint }),
    many: new ServerError('FEDERATION_TOO_MANY', { limit: proofsPerAccount, what: 'keys' }),
  });
  return { fingerprint };
}

async function removeKey(
  turn: FederationTurn,
  { accountId, fingerprint, by }: Payload<'removeKey'>,
): Promise<undefined> {
  const event = newAuditEvent(turn, 'account.key_removed', by, accountId, { fingerprint });
  await write(turn, [{ record: 'accountKeyRemoved', accountId, fingerprint }], [event], {
    taken: new ServerError('FEDERATION_KEY_NOT_FOUND', { fingerprint }),
  });
}

async function linkIdentity(
  turn: FederationTurn,
  { accountId, issuer, subject, by }: Payload<'linkIdentity'>,
): Promise<undefined> {
  const fits = (text: string) => text !== '' && text.length <= textLengthMax;
  if (!fits(issuer) || !fits(subject)) {
    const reason = `issuer and subject have 1 to ${textLengthMax} characters`;
    throw new ServerError('FEDERATION_BAD_REQUEST', { reason });
  }
  const createdAtMs = turn.ports.clock.nowMs();
  const identity = { issuer, subject, accountId, createdAtMs, createdBy: by };
  const event = newAuditEvent(turn, 'account.identity_linked', by, accountId, { issuer, subject });
  await write(turn, [{ record: 'identity', identity, limit: proofsPerAccount }], [event], {
    taken: new ServerError('FEDERATION_IDENTITY_TAKEN', { subject }),
    many: new ServerError('FEDERATION_TOO_MANY', { limit: proofsPerAccount, what: 'identities' }),
  });
}

async function unlinkIdentity(
  turn: FederationTurn,
  { accountId, issuer, by }: Payload<'unlinkIdentity'>,
): Promise<undefined> {
  const event = newAuditEvent(turn, 'account.identity_unlinked', by, accountId, { issuer });
  await write(turn, [{ record: 'identitiesRemoved', accountId, issuer }], [event], {});
}

/** The audit log keeps one of a subject a minute and counts the rest, whoever floods it. */
async function loginRefused(
  turn: FederationTurn,
  { method, subject, code, peerAddress }: Payload<'loginRefused'>,
): Promise<undefined> {
  const details = { method, code, name: subject.slice(0, textLengthMax) };
  const peer = peerAddress.slice(0, textLengthMax);
  const event = newAuditEvent(turn, 'account.login_refused', 'anybody', peer, details);
  await write(turn, [], [event], {});
}

interface Refusals {
  /** For what stands in the way in the database. */
  readonly taken?: ServerError;
  readonly many?: ServerError;
}

async function write(
  turn: FederationTurn,
  records: SinkRecord[],
  audit: AuditEvent[],
  { taken, many }: Refusals,
): Promise<void> {
  try {
    await turn.ask(sinkAddress(), 'write', { records, audit }, sinkDeadlineMs);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    const { details } = error as { details?: { reason?: unknown } };
    const limited = String(details?.reason).startsWith('limit');
    throw (limited ? many : taken) ?? error;
  }
}

/** SHA-256 of the key in SSH's form: string "ssh-ed25519", string key. */
function fingerprintOf(publicKey: Buffer): string {
  const type = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1');
  const hash = createHash('sha256').update(type).update(publicKey).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}
