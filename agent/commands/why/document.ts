import type { HistoryEntry } from '../../offline/history-entry.ts';
import type { ResourceState } from '../../offline/run-state.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';

type Values = Readonly<Record<string, PolicyValue>>;

/** What `vigo why --json` prints; docs/status.md explains each field. */
export interface WhyDocument {
  /** "module/resource". */
  readonly id: string;
  readonly type: string;
  readonly module: string;
  readonly policyVersion: number;
  /**
   * What names file, line, entry, role and environment. A bundle does not carry them: envoys that get
   * the same share one, and a comment in the stack must not make another policy.
   */
  readonly trace: string;
  /** As declared; templates are not rendered, secrets are references. */
  readonly parameters: Values;
  /** The element of `foreach` that the resource stands for. */
  readonly item?: PolicyValue;
  readonly conditions: readonly ConditionFacts[];
  /** Variables that its texts and conditions read, by path. */
  readonly vars: Values;
  /** Traits that they read; as the server was told them last. */
  readonly traits: Values;
  readonly needs: readonly string[];
  readonly neededBy: readonly string[];
  /** What is triggered when it changes. */
  readonly triggers: readonly string[];
  readonly triggeredBy: readonly string[];
  /** What the last pass found. */
  readonly last?: ResourceState & { readonly remedy?: string };
  /** Newest first. */
  readonly history: readonly HistoryEntry[];
}

export interface ConditionFacts {
  readonly of: 'module' | 'resource';
  readonly when: string;
  /** Absent when only a pass can tell, such as whether a file exists. */
  readonly holds?: boolean;
  /** The part that decided; or that only a pass can tell. */
  readonly decided?: string;
  /** Why it cannot be evaluated. */
  readonly problem?: string;
}
