import { decodeBundle } from '../../../agent/protocol/bundle-document.ts';
import { ConvergenceState } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import type { TestEnvoy } from '../../support/test-envoy.ts';

/**
 * Does what an agent does as far as a rollout can see it: takes the bundle that it is given, fails
 * when a resource's content is "broken", reports, and says so at its next check-in.
 */
export class ConvergingEnvoy {
  readonly envoy: TestEnvoy;
  #root: Uint8Array = new Uint8Array(32);
  #version = 0;
  #expiresAtMs = 0;
  content: unknown;
  state: ConvergenceState = ConvergenceState.CONVERGENCE_STATE_UNSPECIFIED;

  constructor(envoy: TestEnvoy) {
    this.envoy = envoy;
  }

  get version(): number {
    return this.#version;
  }

  /** One interval: check in, converge, report what changed. */
  async pass(): Promise<void> {
    const answer = await this.envoy.checkIn({
      state: this.state,
      policyVersion: this.#version,
      bundleRoot: Buffer.from(this.#root),
      bundleExpiresAtMs: this.#expiresAtMs,
    });
    const { bundle } = answer;
    if (bundle?.manifest === undefined) return;
    const { policyVersion, bundleRoot, expiresAtMs } = bundle.manifest;
    this.#version = policyVersion;
    this.#expiresAtMs = expiresAtMs;
    if (bundle.document.length === 0) return;
    this.#root = bundleRoot;
    const [module] = decodeBundle(bundle.document).modules;
    this.content = module?.resources[0]?.parameters.content;
    this.state =
      this.content === 'broken'
        ? ConvergenceState.CONVERGENCE_STATE_FAILED
        : ConvergenceState.CONVERGENCE_STATE_CHANGED;
    await this.envoy.report({
      state: this.state,
      policyVersion,
      bundleRoot: Buffer.from(bundleRoot),
    });
  }
}
