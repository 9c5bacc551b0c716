import { AgentError } from './errors.ts';
import type { Identity } from './identity/identity.ts';
import type { IncidentLog } from './incident-log.ts';
import type { Memory } from './memory.ts';
import type { BundleCache, HeldPolicy } from './offline/bundle-cache.ts';
import type { SignedBundle } from './protocol/gen/vigo/v1/bundle.ts';
import { isExpired } from './protocol/manifest.ts';

type PolicyIdentity = Pick<Identity, 'envoyId' | 'bundlePublicKey'>;

/** The policy that this node enforces: verified, never older than one it has had, kept on disk. */
export class PolicyHolder {
  readonly #cache: BundleCache;
  readonly #identity: PolicyIdentity;
  readonly #memory: Memory;
  readonly #incidents: IncidentLog;
  readonly #nowMs: () => number;
  /** Adopted, but the disk has refused it so far. */
  #unstored: { readonly policy: HeldPolicy; readonly store: () => Promise<void> } | undefined;

  constructor(parts: {
    readonly cache: BundleCache;
    readonly identity: PolicyIdentity;
    readonly memory: Memory;
    readonly incidents: IncidentLog;
    readonly nowMs: () => number;
  }) {
    this.#cache = parts.cache;
    this.#identity = parts.identity;
    this.#memory = parts.memory;
    this.#incidents = parts.incidents;
    this.#nowMs = parts.nowMs;
  }

  /**
   * The held policy, expired or not; undefined when there is none. An altered cache is an incident
   * and is thrown away, so that the next check-in fetches the policy anew.
   */
  async held(): Promise<HeldPolicy | undefined> {
    if (this.#unstored !== undefined) return this.#unstored.policy;
    try {
      return await this.#cache.load(this.#expectation());
    } catch (error) {
      this.#incidents.add(error);
      if (error instanceof AgentError && error.code === 'AGENT_CACHE_ALTERED')
        await this.#cache.clear().catch((failure) => this.#incidents.add(failure));
      return undefined;
    }
  }

  /** As `held`, but an expired policy throws PROTOCOL_BUNDLE_EXPIRED. */
  async enforceable(): Promise<HeldPolicy | undefined> {
    const policy = await this.held();
    if (policy !== undefined && isExpired(policy.manifest, this.#nowMs()))
      throw new AgentError(
        'PROTOCOL_BUNDLE_EXPIRED',
        `since ${new Date(policy.manifest.expiresAtMs).toISOString()}`,
      );
    return policy;
  }

  /** Throws a PROTOCOL_BUNDLE code and keeps the held policy when the new one does not verify. */
  async adopt(bundle: SignedBundle): Promise<HeldPolicy> {
    const expected = { ...this.#expectation(), nowMs: this.#nowMs() };
    const adopted = await this.#cache.adopt(bundle, expected);
    const { policyVersion, secretsEpoch } = adopted.policy.manifest;
    this.#unstored = adopted;
    this.#memory.patch({ held: { policyVersion, secretsEpoch } });
    await this.store();
    return adopted.policy;
  }

  /** Tries again to write what the disk has refused. */
  async store(): Promise<void> {
    try {
      await this.#unstored?.store();
      this.#unstored = undefined;
    } catch (error) {
      this.#incidents.add(error);
    }
  }

  #expectation() {
    const { held } = this.#memory.state;
    return {
      envoyId: this.#identity.envoyId,
      publicKey: this.#identity.bundlePublicKey,
      ...(held === undefined ? {} : { held }),
    };
  }
}
