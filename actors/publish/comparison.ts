/** What differs between two stacks, for people: files, and what each group of envoys gets. */
export interface StackComparison {
  readonly from: ComparedStack;
  readonly to: ComparedStack;
  /** By path. */
  readonly files: readonly FileChange[];
  /** Groups of envoys whose policy differs; envoys with the same change stand together. */
  readonly groups: readonly GroupChange[];
  /** True when a limit cut a list or a diff. */
  readonly truncated: boolean;
}

export interface ComparedStack {
  /** "version 7", "stack", "candidate". */
  readonly name: string;
  readonly contentHash: string;
}

export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Unified diff, three lines of context. */
  readonly diff: string;
}

/** Envoys of one entry before and one entry after. */
export interface GroupChange {
  /** Patterns of the entry that matches them afterwards; empty: none does. */
  readonly match: readonly string[];
  readonly envoys: number;
  /** Some of their host names, at most `hostnameSampleLimit`. */
  readonly hostnames: readonly string[];
  readonly resources: readonly ResourceChange[];
}

export interface ResourceChange {
  /** "module/resource", as in reports. */
  readonly id: string;
  readonly type: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Unified diff of the resource as YAML; for a removed one its last form. */
  readonly diff: string;
}

/** Host names shown of one group. */
export const hostnameSampleLimit = 10;
