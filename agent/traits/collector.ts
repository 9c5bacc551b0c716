import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

/** What the agent knows of itself and no file of the machine says. */
export interface AgentFacts {
  /** Undefined before the node is registered. */
  readonly envoyUuid?: string | undefined;
  readonly agentVersion?: string | undefined;
}

export interface TraitSource {
  readonly platform: Platform;
  readonly facts: AgentFacts;
}

/**
 * One top-level trait. Its value changes only when the machine changes, not from pass to pass: the
 * whole document is hashed, and another hash makes the agent send it again. Undefined = does not
 * apply to this machine.
 */
export interface TraitCollector {
  readonly name: string;
  collect(source: TraitSource): Promise<PolicyValue | undefined>;
}
