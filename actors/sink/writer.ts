import type { Transaction } from 'kysely';
import type { AuditHead } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.ts';
import { AuditThrottle } from '../audit/throttle.ts';
import { ServerError } from '../errors.ts';
import type { LiveEvent } from '../events/messages.ts';
import { AccountStore } from './account-records.ts';
import { type AppliedBatch, applyBatch } from './apply-batch.ts';
import { appendEvents, readHead } from './audit-append.ts';
import { AuditLogStore } from './audit-log-store.ts';
import { openSinkConnection, type SinkConnection } from './connection.ts';
import { decodeFleetBatch, type FleetEntry } from './fleet-batch.ts';
import { addToDay, fleetDay } from './fleet-history.ts';
import { readReportedVersion, readSeen, readTraits, type SeenEnvoy } from './fleet-page.ts';
import {
  beginIdentityOpening,
  dropIdentityChanges,
  type IdentityPosition,
  readChangedIdentities,
  readIdentityPosition,
} from './identity-changes.ts';
import { writeLastSeen } from './last-seen.ts';
import { drainBatchLimit, exportPageLimit, writeLimit } from './limits.ts';
import { auditEntryEvent, stateEvent } from './live-events.ts';
import {
  type EnvoyIdentity,
  type EnvoySeen,
  lastSeenPerMessage,
  type SinkRecord,
  type TokenRecord,
} from './messages.ts';
import { migrate } from './migrations.ts';
import type { PlanAnswer } from './plan-outcome.ts';
import { applyRecord, findToken, insertEnvoys, readIdentities } from './records.ts';
import type { SinkSchema } from './schema.ts';
import type { Settled } from './settled-reports.ts';
import { needsReopen, sinkError } from './sink-error.ts';

export interface SinkWriterOptions {
  readonly file: string;
  readonly runsPerEnvoy: number;
  /** Told after each transaction what it brought; must not throw. */
  readonly written?: (events: readonly LiveEvent[]) => void;
}

export interface DrainResult {
  /** Entries through this sequence are on disk; 0 when none ever was. */
  readonly sequence: number;
  readonly settled: readonly Settled[];
  readonly answers: readonly PlanAnswer[];
  /** Whether the audit log may have new entries. */
  readonly grew: boolean;
}

const nothingDrained = { settled: [], answers: [], grew: false };

/**
 * The only writer of the database. Opens it when first needed and again after it failed, so that
 * a full or broken disk stops the writes and not the process. Every method rejects with SINK_*; nothing
 * of a rejected call is in the database. Calls are made one after the other (the sink actor's turns).
 */
export class SinkWriter {
  readonly #options: SinkWriterOptions;
  readonly #throttle = new AuditThrottle();
  #connection: SinkConnection | undefined;
  /** The tree over the audit log; its entries are written with what they tell of. */
  readonly auditLog = new AuditLogStore((run) => this.#use(({ kysely }) => run(kysely)));

  readonly accounts = new AccountStore((run) => this.#use(({ kysely }) => run(kysely)));

  constructor(options: SinkWriterOptions) {
    this.#options = options;
  }

  /** Opens and migrates. Called by the others as needed. */
  async open(): Promise<void> {
    await this.#use(async () => undefined);
  }

  async write(records: readonly SinkRecord[], audit: readonly AuditEvent[]): Promise<AuditHead> {
    if (records.length + audit.length > writeLimit) {
      const reason = `a write holds at most ${writeLimit} records and events`;
      throw new ServerError('SINK_CONFLICT', { reason });
    }
    return await this.#transaction(audit, async (writer) => {
      for (const record of records) await applyRecord(writer, record);
      return [];
    });
  }

  /** Envoys made in advance, in one transaction. */
  async provision(
    records: readonly (SinkRecord & { record: 'envoy' })[],
    audit: readonly AuditEvent[],
  ): Promise<AuditHead> {
    const chunk = 64;
    return await this.#transaction(audit, async (writer) => {
      for (let at = 0; at < records.length; at += chunk) {
        await insertEnvoys(writer, records.slice(at, at + chunk));
      }
      return [];
    });
  }

  /** Takes over entries of one store's outbox; those that were taken over before are skipped. */
  async drain(origin: string, entries: readonly FleetEntry[]): Promise<DrainResult> {
    const storeId = entries[0]?.storeId;
    if (storeId === undefined) return { ...nothingDrained, sequence: 0 };
    const progress = await this.progress(storeId);
    const fresh = entries
      .filter((entry) => entry.storeId === storeId && entry.sequence > progress)
      .slice(0, drainBatchLimit);
    const sequence = fresh.at(-1)?.sequence;
    if (sequence === undefined) return { ...nothingDrained, sequence: progress };
    const batch = decodeFleetBatch(origin, fresh);
    let applied: AppliedBatch = { settled: [], answers: [], events: [] };
    await this.#transaction(batch.audit, async (writer) => {
      applied = await applyBatch(writer, batch, this.#options.runsPerEnvoy);
      await writer
        .insertInto('outbox_progress')
        .values({ store_id: storeId, origin, sequence })
        .onConflict((conflict) => conflict.column('store_id').doUpdateSet({ origin, sequence }))
        .execute();
      return applied.events;
    });
    const { settled, answers } = applied;
    return { sequence, settled, answers, grew: batch.audit.length > 0 };
  }

  /** At most `lastSeenPerMessage`. */
  async lastSeen(seen: readonly EnvoySeen[]): Promise<void> {
    await this.#transaction([], async (writer) => {
      const transitions = await writeLastSeen(writer, seen.slice(0, lastSeenPerMessage));
      if (transitions.length === 0) return [];
      const atMs = transitions.reduce((last, one) => Math.max(last, one.atMs), 0);
      const day = { ...fleetDay(undefined), transitions: transitions.length };
      await addToDay(writer, atMs, day);
      return transitions.map(stateEvent);
    });
  }

  /** The last sequence of this store's outbox that is on disk. */
  async progress(storeId: number): Promise<number> {
    return await this.#use(async ({ kysely }) => {
      const row = await kysely
        .selectFrom('outbox_progress')
        .select('sequence')
        .where('store_id', '=', storeId)
        .executeTakeFirst();
      return row?.sequence ?? 0;
    });
  }

  async findToken(id: string): Promise<TokenRecord | undefined> {
    return await this.#use(({ kysely }) => findToken(kysely, id));
  }

  async identities(after: string, limit: number): Promise<EnvoyIdentity[]> {
    return await this.#use(({ kysely }) =>
      readIdentities(kysely, after, Math.min(limit, exportPageLimit)),
    );
  }

  async identityPosition(): Promise<IdentityPosition> {
    return await this.#use(({ kysely }) => readIdentityPosition(kysely));
  }

  /** Of those that changed in this span of changes. */
  async changedIdentities(
    span: { readonly after: number; readonly through: number },
    after: string,
    limit: number,
  ): Promise<EnvoyIdentity[]> {
    return await this.#use(({ kysely }) =>
      readChangedIdentities(kysely, span, after, Math.min(limit, exportPageLimit)),
    );
  }

  async beginIdentityOpening(): Promise<number> {
    return await this.#use(({ kysely }) => beginIdentityOpening(kysely));
  }

  async dropIdentityChanges(through: number): Promise<void> {
    await this.#use(({ kysely }) => dropIdentityChanges(kysely, through));
  }

  /** For plans. */
  async seen(after: string, limit: number): Promise<SeenEnvoy[]> {
    return await this.#use(({ kysely }) => readSeen(kysely, after, limit));
  }

  async traits(envoyIds: readonly string[]): Promise<{ envoyId: string; traitsJson: string }[]> {
    return await this.#use(({ kysely }) => readTraits(kysely, envoyIds));
  }

  /** The highest policy version, up to `most`, that an envoy in good standing has told of. */
  async reportedVersion(most: number): Promise<number> {
    return await this.#use(({ kysely }) => readReportedVersion(kysely, most));
  }

  /** Copies the database as it is when this resolves; writes may go on meanwhile. */
  async copyTo(file: string, progress: (done: number, total: number) => void): Promise<void> {
    await this.#use((connection) => connection.copyTo(file, progress));
  }

  async auditHead(): Promise<AuditHead> {
    return await this.#use(({ kysely }) => readHead(kysely));
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #transaction(
    audit: readonly AuditEvent[],
    apply: (writer: Transaction<SinkSchema>) => Promise<readonly LiveEvent[]>,
  ): Promise<AuditHead> {
    const throttled = this.#throttle.consider(audit);
    const { head, rows, events } = await this.#use(({ kysely }) =>
      kysely.transaction().execute(async (writer) => {
        const events = await apply(writer);
        return { events, ...(await appendEvents(writer, throttled.kept)) };
      }),
    );
    throttled.commit();
    if (events.length + rows.length > 0) {
      this.#options.written?.([...events, ...rows.map(auditEntryEvent)]);
    }
    return head;
  }

  async #use<T>(run: (connection: SinkConnection) => Promise<T>): Promise<T> {
    try {
      const connection = this.#connection ?? (await this.#open());
      return await run(connection);
    } catch (error) {
      const known = sinkError(error);
      if (known === undefined) throw error;
      if (needsReopen(known)) this.close();
      throw known;
    }
  }

  async #open(): Promise<SinkConnection> {
    let connection: SinkConnection;
    try {
      connection = openSinkConnection(this.#options.file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw sinkError(error) ?? new ServerError('SINK_IO', { reason }, { cause: error });
    }
    try {
      await migrate(connection.kysely);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }
}
