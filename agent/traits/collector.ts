import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

/** What the agent knows of itself and no file of the machine says. */
export interface AgentFacts {
  /** Undefined before the node is registered. */
  readonly envoyUuid?: string | undefined;
  readonly agentVersion?: string | undefined;
  /** Where security tools leave what they found; /var/lib/vigo/security when absent. */
  readonly securityDirectory?: string | undefined;
}

export interface TraitSource {
  readonly platform: Platform;
  readonly facts: AgentFacts;
}

/**
 * One top-level trait: its fields, limits and refresh class stand in agent/policy/trait-schemas.
 * Undefined = does not apply to this machine. What did not change should be the same object again:
 * then nobody has to compare it.
 */
export interface TraitCollector {
  readonly name: string;
  collect(source: TraitSource): Promise<PolicyValue | undefined>;
  /**
   * Whether the server is to know at once that `told` became `now`. Without it a volatile trait
   * waits for the next document, and any other one is told when it is not the same.
   */
  isNews?(told: PolicyValue, now: PolicyValue): boolean;
}
