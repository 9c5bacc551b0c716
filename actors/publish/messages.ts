import type { Address } from '../../runtime/actor.ts';

/** Publishing: stack directory -> diagnostics, or signed-off policy version. One actor, in the service pool. */
export type PublishMessages = {
  /** `directory` defaults to the server's stack directory. Changes nothing. */
  validate: { payload: { directory?: string }; reply: ValidationResult };
  /**
   * Rejects with PUBLISH_INVALID and then has changed nothing; the error's `diagnostics` detail is
   * the list of Diagnostic as JSON text.
   */
  publish: {
    payload: { directory?: string; message: string; by: string };
    reply: PublishResult;
  };
  /** The bundle root for a new or renamed envoy; writes its assignment. */
  assign: { payload: { envoyId: string; hostname: string }; reply: { bundleRoot: Uint8Array } };
  /**
   * Sent once when the server starts, after the identities are back: makes the store's policy the
   * live one again when they differ. Version 0 = nothing was ever published.
   */
  recover: { payload: Record<string, never>; reply: { version: number; rebuilt: boolean } };
};

export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Path relative to the stack. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly suggestion?: string;
  /** The line of the file that `line` names. */
  readonly excerpt?: string;
}

export interface ValidationResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly modules: number;
  readonly resources: number;
  readonly entries: number;
}

export interface PublishResult extends ValidationResult {
  readonly version: number;
  readonly changedEnvoys: number;
  readonly totalEnvoys: number;
  readonly bundles: number;
  /** False when the stack is the one that is live already; the version then stays. */
  readonly changed: boolean;
}

export function publishAddress(): Address<PublishMessages> {
  return { kind: 'publish', key: 'main' };
}
