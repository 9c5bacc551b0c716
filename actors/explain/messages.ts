import type { Address } from '../../runtime/actor.ts';
import type { StackReference } from '../publish/messages.ts';
import type {
  EntryExplanation,
  ExcludedModule,
  HostExplanation,
  ModuleExplanation,
  ModuleReason,
  ResourceExplanation,
  SourcePlace,
  VariableLayer,
} from '../publish/stack/explain.ts';

export type {
  ExcludedModule,
  ModuleReason,
  ResourceExplanation,
  SourcePlace,
  VariableExplanation,
  VariableSource,
} from '../publish/stack/explain.ts';

/**
 * Answers where everything comes from: of the stack directory, a version, the candidate or an uploaded
 * stack. Changes nothing and compiles in its own time, so that no publish waits for it. One actor.
 * All reject with EXPLAIN_BROKEN when the stack cannot be resolved at all.
 */
export type ExplainMessages = {
  trace: {
    payload: ExplainSource & {
      hostname: string;
      /** The traits document that the envoy reported, JSON; absent when it is not known. */
      traitsJson?: string;
    };
    reply: HostTrace;
  };
  /** Rejects with EXPLAIN_NO_MODULE, and then names the closest one. */
  usage: { payload: ExplainSource & { module: string }; reply: ModuleUsage };
  tree: { payload: ExplainSource; reply: StackTree };
  search: {
    payload: ExplainSource & { pattern: string; kinds: readonly SearchKind[]; limit: number };
    reply: SearchResult;
  };
};

export interface ExplainSource {
  readonly of: StackReference;
  /** An uploaded stack, instead of `of`. */
  readonly directory?: string;
}

/** What every answer begins with. */
export interface Explained {
  /** "stack", "version 7", "live", "candidate" or "upload". */
  readonly source: string;
  /** Errors of the validation; with some, parts may be missing. */
  readonly errors: number;
}

/**
 * Whether something is in force on a node. "node": it depends on what only the node knows. `why` is a
 * sentence for people; '' when nothing stands in the way.
 */
export interface Verdict {
  readonly state: 'in' | 'out' | 'node';
  readonly why: string;
}

export interface HostTrace extends Explained, Omit<HostExplanation, 'entry'> {
  /** False: conditions on traits cannot be decided here. */
  readonly traitsKnown: boolean;
  readonly entry?: EntryTrace;
}

export interface EntryTrace extends Omit<EntryExplanation, 'modules'> {
  readonly modules: readonly ModuleTrace[];
}

export interface ModuleTrace extends Omit<ModuleExplanation, 'resources'> {
  readonly verdict: Verdict;
  readonly resources: readonly ResourceTrace[];
}

export interface ResourceTrace extends ResourceExplanation {
  readonly verdict: Verdict;
  /** With `variesOn`: what the expression is on this node, when that is known. */
  readonly variant?: string;
}

export interface ModuleUsage extends Explained {
  readonly module: string;
  readonly place: SourcePlace;
  readonly dependsOn: readonly string[];
  readonly neededBy: readonly { readonly module: string; readonly place: SourcePlace }[];
  readonly roles: readonly { readonly name: string; readonly place: SourcePlace }[];
  readonly entries: readonly EntryUse[];
}

export interface EntryUse {
  readonly patterns: readonly string[];
  readonly environment?: string;
  readonly place: SourcePlace;
  /** Why it is in; with `excludedBy`, why it would be. */
  readonly reasons: readonly ModuleReason[];
  readonly excludedBy?: ExcludedModule['excludedBy'];
}

export interface StackTree extends Explained {
  /** Parents before children, by path; the first is the stack itself (""). */
  readonly directories: readonly TreeDirectory[];
}

export interface TreeDirectory {
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly kind: TreeFileKind }[];
  /** common.vgo and environment files of the directories above, outermost first. */
  readonly inherits: readonly string[];
  readonly entries: readonly TreeEntry[];
}

export type TreeFileKind =
  | 'common'
  | 'environments'
  | 'roles'
  | 'waivers'
  | 'entries'
  | 'module'
  | 'template';

export interface TreeEntry {
  readonly place: SourcePlace;
  readonly patterns: readonly string[];
  readonly environment?: string;
  readonly roles: readonly string[];
  readonly modules: readonly string[];
}

export const searchKinds = [
  'module',
  'role',
  'entry',
  'resource',
  'type',
  'var',
  'file',
  'text',
] as const;

export type SearchKind = (typeof searchKinds)[number];

export interface SearchResult extends Explained {
  readonly matches: readonly SearchMatch[];
  /** True when there are more than `limit`. */
  readonly truncated: boolean;
}

export interface SearchMatch {
  readonly kind: SearchKind;
  /** "nginx", "nginx/config", "nginx_port". */
  readonly name: string;
  readonly place: SourcePlace;
  /** A resource's type, a variable's value as JSON, a line of text. */
  readonly detail: string;
  /** Of a variable. */
  readonly layer?: VariableLayer;
}

export function explainAddress(): Address<ExplainMessages> {
  return { kind: 'explain', key: 'main' };
}
