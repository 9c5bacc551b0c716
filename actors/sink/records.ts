import type { Kysely, Transaction, UpdateResult } from 'kysely';
import { ServerError } from '../errors.ts';
import { applyAccountWrite } from './account-records.ts';
import { insertAdminToken, markAdminTokenUsed, revokeAdminToken } from './admin-tokens.ts';
import { applyFederationWrite } from './federation-records.ts';
import { writeFleetMinute } from './fleet-history.ts';
import type { EnvoyIdentity, SinkRecord, TokenRecord } from './messages.ts';
import { applyPlanRecord } from './plan-records.ts';
import { insertPolicyVersion } from './policy-versions.ts';
import { applySavedView } from './saved-views.ts';
import type { EnvoysTable, SinkSchema, TokensTable } from './schema.ts';

type Reader = Kysely<SinkSchema>;
type Writer = Transaction<SinkSchema>;

/** Applies one record inside the transaction. Throws SINK_CONFLICT, which undoes the whole write. */
export async function applyRecord(writer: Writer, record: SinkRecord): Promise<void> {
  switch (record.record) {
    case 'token':
      await writer.insertInto('tokens').values(tokenRow(record.token)).execute();
      return;
    case 'tokenUsed':
      return await markTokenUsed(writer, record);
    case 'tokenRevoked':
      return await revokeToken(writer, record);
    case 'envoyRevoked':
      return await revokeEnvoy(writer, record);
    case 'envoyRenewed':
      return await renewEnvoy(writer, record);
    case 'adminToken':
      return await insertAdminToken(writer, record.token);
    case 'adminTokenRevoked':
      return await revokeAdminToken(writer, record.id, record.atMs);
    case 'adminTokenUsed':
      return await markAdminTokenUsed(writer, record.id, record.atMs);
    case 'envoy':
      await writer.insertInto('envoys').values(envoyRow(record)).execute();
      return;
    case 'plan':
    case 'planEnvoys':
    case 'planResources':
    case 'planComplete':
      return await applyPlanRecord(writer, record);
    case 'account':
    case 'accountChanged':
    case 'session':
    case 'sessionUsed':
    case 'sessionsEnded':
      return await applyAccountWrite(writer, record);
    case 'accountKey':
    case 'accountKeyRemoved':
    case 'identity':
    case 'identitiesRemoved':
      return await applyFederationWrite(writer, record);
    case 'envoyMaintenance':
      return await setMaintenance(writer, record);
    case 'fleetMinute':
      return await writeFleetMinute(writer, record);
    case 'savedView':
    case 'savedViewRemoved':
      return await applySavedView(writer, record);
    case 'policyVersion':
      return await insertPolicyVersion(writer, record);
  }
}

async function markTokenUsed(
  writer: Writer,
  { id, envoyId, atMs }: SinkRecord & { record: 'tokenUsed' },
): Promise<void> {
  return await changeOne(
    writer
      .updateTable('tokens')
      .set({ used_at_ms: atMs, used_by: envoyId })
      .where('id', '=', id)
      .where('used_at_ms', 'is', null)
      .where('revoked_at_ms', 'is', null)
      .executeTakeFirst(),
    `token ${id} is used, revoked or unknown`,
  );
}

async function revokeToken(
  writer: Writer,
  { id, atMs }: SinkRecord & { record: 'tokenRevoked' },
): Promise<void> {
  return await changeOne(
    writer
      .updateTable('tokens')
      .set((expression) => ({
        revoked_at_ms: expression.fn.coalesce('revoked_at_ms', expression.val(atMs)),
      }))
      .where('id', '=', id)
      .executeTakeFirst(),
    `token ${id} is unknown`,
  );
}

async function revokeEnvoy(
  writer: Writer,
  { envoyId, reason, atMs }: SinkRecord & { record: 'envoyRevoked' },
): Promise<void> {
  return await changeOne(
    writer
      .updateTable('envoys')
      .set((expression) => ({
        revoked_at_ms: expression.fn.coalesce('revoked_at_ms', expression.val(atMs)),
        revoked_reason: expression.fn.coalesce('revoked_reason', expression.val(reason)),
      }))
      .where('envoy_id', '=', envoyId)
      .executeTakeFirst(),
    `envoy ${envoyId} is unknown`,
  );
}

/** Many envoys at once, for provisioning. */
export async function insertEnvoys(
  writer: Writer,
  records: readonly (SinkRecord & { record: 'envoy' })[],
): Promise<void> {
  if (records.length > 0) {
    await writer.insertInto('envoys').values(records.map(envoyRow)).execute();
  }
}

export async function findToken(reader: Reader, id: string): Promise<TokenRecord | undefined> {
  const row = await reader.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : tokenRecord(row);
}

/** Identities in the order of their id, after `after`. */
export async function readIdentities(
  reader: Reader,
  after: string,
  limit: number,
): Promise<EnvoyIdentity[]> {
  const rows = await reader
    .selectFrom('envoys')
    .select(identityColumns)
    .where('envoy_id', '>', after)
    .orderBy('envoy_id')
    .limit(limit)
    .execute();
  return rows.map(identityOf);
}

export const identityColumns = [
  'envoy_id',
  'hostname',
  'public_key',
  'revoked_at_ms',
  'enrolled_at_ms',
  'settled_report_sequence',
] as const;

export function identityOf(
  row: Pick<EnvoysTable, (typeof identityColumns)[number]>,
): EnvoyIdentity {
  return {
    envoyId: row.envoy_id,
    hostname: row.hostname,
    publicKey: Uint8Array.from(row.public_key),
    revoked: row.revoked_at_ms !== null,
    enrolledAtMs: row.enrolled_at_ms,
    settledReportSequence: row.settled_report_sequence,
  };
}

export function tokenRecord(row: TokensTable): TokenRecord {
  return {
    id: row.id,
    hash: row.hash,
    match: JSON.parse(row.match) as string[],
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms ?? undefined,
    usedBy: row.used_by ?? undefined,
    revokedAtMs: row.revoked_at_ms ?? undefined,
  };
}

function tokenRow(token: TokenRecord): TokensTable {
  return {
    id: token.id,
    hash: token.hash,
    match: JSON.stringify(token.match),
    created_at_ms: token.createdAtMs,
    created_by: token.createdBy,
    expires_at_ms: token.expiresAtMs,
    used_at_ms: token.usedAtMs ?? null,
    used_by: token.usedBy ?? null,
    revoked_at_ms: token.revokedAtMs ?? null,
  };
}

function envoyRow(record: SinkRecord & { record: 'envoy' }): EnvoysTable {
  const { identity } = record;
  return {
    envoy_id: identity.envoyId,
    hostname: identity.hostname,
    public_key: Buffer.from(identity.publicKey),
    agent_version: record.agentVersion,
    certificate_serial: record.certificateSerial,
    certificate_issued_ms: record.certificateIssuedMs,
    certificate_ends_ms: record.certificateEndsMs,
    enrolled_at_ms: identity.enrolledAtMs,
    revoked_at_ms: null,
    revoked_reason: null,
    last_seen_ms: null,
    state: 0,
    state_since_ms: null,
    maintenance: null,
    os: '',
    policy_version: null,
    agent_update: null,
    settled_report_sequence: identity.settledReportSequence,
  };
}

async function renewEnvoy(
  writer: Writer,
  record: SinkRecord & { record: 'envoyRenewed' },
): Promise<void> {
  return await changeOne(
    writer
      .updateTable('envoys')
      .set({
        hostname: record.hostname,
        public_key: Buffer.from(record.publicKey),
        agent_version: record.agentVersion,
        certificate_serial: record.certificateSerial,
        certificate_issued_ms: record.certificateIssuedMs,
        certificate_ends_ms: record.certificateEndsMs,
      })
      .where('envoy_id', '=', record.envoyId)
      .where('revoked_at_ms', 'is', null)
      .executeTakeFirst(),
    `envoy ${record.envoyId} is revoked or unknown`,
  );
}

async function setMaintenance(
  writer: Writer,
  { envoyId, maintenance }: SinkRecord & { record: 'envoyMaintenance' },
): Promise<void> {
  return await changeOne(
    writer
      .updateTable('envoys')
      .set({ maintenance: maintenance === undefined ? null : JSON.stringify(maintenance) })
      .where('envoy_id', '=', envoyId)
      .where('revoked_at_ms', 'is', null)
      .executeTakeFirst(),
    `envoy ${envoyId} is revoked or unknown`,
  );
}

async function changeOne(result: Promise<UpdateResult>, reason: string): Promise<void> {
  if ((await result).numUpdatedRows !== 1n) throw new ServerError('SINK_CONFLICT', { reason });
}
