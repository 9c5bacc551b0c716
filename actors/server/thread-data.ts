import { join } from 'node:path';
import type { PlainError } from '../../runtime/channel.ts';
import { bytesCodec, msgpackCodec } from '../../runtime/codecs.ts';
import { auditTables } from '../audit/tables.ts';
import { isServerErrorCode, ServerError } from '../errors.ts';
import { planTables } from '../plan/tables.ts';
import { policyTables } from '../policy/tables.ts';
import { releaseRolloutTable } from '../releases/tables.ts';
import { secretEpochTable } from '../secrets/tables.ts';
import type { ServerConfig } from './config/config.ts';
import type { HomeLayout } from './home/layout.ts';

/** What the main thread hands to every other one; plain data. */
export interface ServerThreadData {
  readonly layout: HomeLayout;
  readonly config: ServerConfig;
  readonly version: string;
  readonly startedAtMs: number;
  /** The port that the shards share. */
  readonly grpcPort: number;
  /** Where the REST API listens; port 0 = any, told to the main thread by the edge. */
  readonly apiListen: { readonly host: string; readonly port: number };
  readonly tls: {
    /** PEM: leaf, then CA. */
    readonly certificateChain: string;
    readonly privateKey: string;
    /** PEM of the CA. */
    readonly authority: string;
    readonly authorityKey: string;
    /** 48 bytes, made anew at each start. */
    readonly ticketKeys: Uint8Array;
  };
  /** Ed25519, PKCS#8 PEM. */
  readonly bundleSigningKey: string;
  /** Ed25519, 32 bytes. */
  readonly bundlePublicKey: Uint8Array;
  /** SHA-256 of the local administrator's token. */
  readonly adminTokenHash: Uint8Array;
}

/** The one service host; the policy tables stand in its store. */
export const serviceThread = 'service';
/** REST API and dashboard. */
export const webThread = 'web';

/** The directory of a thread's own store. */
export function storeDirectory(layout: HomeLayout, thread: string): string {
  return join(layout.stateDirectory, thread);
}

/** The service thread's tables as every thread of this process encodes them. */
export const serverTables = policyTables(msgpackCodec, bytesCodec);

/** In the same store. */
export const secretEpochs = secretEpochTable(msgpackCodec());
export const auditLogTables = auditTables(msgpackCodec);
export const releaseRollouts = releaseRolloutTable(msgpackCodec());
export const rehearsalTables = planTables(msgpackCodec, bytesCodec);

/** Coded errors of the actors keep their class across threads. */
export function reviveServerError({ code, details }: PlainError): Error | undefined {
  return isServerErrorCode(code) ? new ServerError(code, details) : undefined;
}
