import type { Address } from '../../runtime/actor.ts';

/** One secret as it may be shown: everything but its value. */
export interface SecretSummary {
  readonly path: string;
  /** 0 where the store does not tell. */
  readonly version: number;
  readonly updatedAtMs: number;
  /** Versions that are still kept, this one included. */
  readonly versions: number;
  readonly updatedBy: string;
}

/** Changes and shows secrets. One actor, in the service pool; values pass through it, never stay. */
export type SecretMessages = {
  initialise: { payload: { by: string }; reply: undefined };
  /** Keeps the former value as an older version; users of the path are told at their next check-in. */
  set: {
    payload: { path: string; value: string; by: string };
    reply: { version: number; epoch: number };
  };
  /** Replaces the value by a random one of so many bytes, in base64url. */
  rotate: {
    payload: { path: string; bytes: number; by: string };
    reply: { version: number; epoch: number };
  };
  /** The store changed them by itself: users are told. */
  refresh: { payload: { paths: readonly string[]; by: string }; reply: { epoch: number } };
  list: { payload: Record<string, never>; reply: readonly SecretSummary[] };
  /** Audited before the value leaves. */
  reveal: { payload: { path: string; by: string }; reply: { value: string } };
  rekey: { payload: { by: string }; reply: { secrets: number } };
  /** Brings the epochs into the store that the shards read, after a start. */
  recover: { payload: Record<string, never>; reply: undefined };
};

export function secretsAddress(): Address<SecretMessages> {
  return { kind: 'secrets', key: 'secrets' };
}

/** Seals values to nodes. A few actors side by side, so that a slow store holds up few. */
export type SecretSealerMessages = {
  seal: {
    payload: {
      /** 16 bytes. */
      envoyId: Uint8Array;
      /** The node's Ed25519 identity key, 32 bytes. */
      publicKey: Uint8Array;
      /** Checked: all of them stand in the node's own bundle. */
      references: readonly string[];
      /** What the answer will say; sealed values are bound to it. */
      epoch: number;
    };
    reply: {
      /** Maybe not all: as many as fit one answer. The rest is asked for again. */
      sealed: readonly { readonly reference: string; readonly sealedValue: Uint8Array }[];
      /** There is no such secret (any more). */
      missing: readonly string[];
    };
  };
};

const sealers = 8;

/** `envoyId`: 16 bytes. */
export function sealerAddress(envoyId: Uint8Array): Address<SecretSealerMessages> {
  return { kind: 'secret-sealer', key: String((envoyId.at(-1) ?? 0) % sealers) };
}
