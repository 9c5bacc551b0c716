import type { Address } from '../../runtime/actor.ts';

/**
 * Backups of a server's home: one file each, with the stack, the secrets, the keys and the database as
 * they were at one moment. The key "main" makes them, "query" only answers.
 */
export type BackupMessages = {
  /** Rejects with BACKUP_*, SINK_*; nothing is left of one that failed. */
  create: { payload: BackupOrder; reply: BackupView };
  list: { payload: Record<string, never>; reply: BackupList };
  /** Tells the audit log that it is taken off the server. Rejects with BACKUP_UNKNOWN. */
  take: { payload: { name: string; by: string }; reply: undefined };
  /** Reads the whole file again. Rejects with BACKUP_UNKNOWN. */
  check: { payload: { name: string }; reply: { name: string; sha256: string; same: boolean } };
};

export interface BackupOrder {
  readonly by: string;
  /** Why, for the list. */
  readonly note: string;
  /** Encrypts to this passphrase; kept nowhere. */
  readonly passphrase?: string;
  /** Encrypts to these public keys of age ("age1..."). */
  readonly recipients?: readonly string[];
  /** Also the agent's programs, which can be had elsewhere. */
  readonly agents: boolean;
  /** Older ones are removed until so many are left; absent: none is. */
  readonly keep?: number;
}

/** A finished backup. Times in milliseconds since the Unix epoch. */
export interface BackupView extends BackupSummary {
  /** Of the file in the server's directory of backups. */
  readonly name: string;
  readonly bytes: number;
  /** Of the file, hex. */
  readonly sha256: string;
  readonly encrypted: boolean;
}

/** What a backup holds, also in its signed manifest. */
export interface BackupSummary {
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly note: string;
  /** Of vigosrv. */
  readonly version: string;
  readonly policyVersion: number;
  readonly envoys: number;
  readonly auditEntries: number;
  readonly files: number;
  /** Paths that the server uses and that stand outside of its home: they are not in the backup. */
  readonly missing: readonly string[];
}

export interface BackupList {
  /** Newest first. */
  readonly items: readonly BackupView[];
  /** The one that is being made. */
  readonly running: BackupProgress | null;
}

export interface BackupProgress {
  readonly phase: 'database' | 'files' | 'packing';
  readonly done: number;
  readonly total: number;
}

/** Names of finished backups. */
export const backupNamePattern = /^vigo-\d{8}T\d{6}Z-[0-9a-f]{8}\.tar\.gz(\.age)?$/;

export function backupAddress(): Address<BackupMessages> {
  return { kind: 'backup', key: 'main' };
}

export function backupQueryAddress(): Address<BackupMessages> {
  return { kind: 'backup', key: 'query' };
}
