import type { PolicyValue } from '../../../agent/protocol/bundle.ts';

/**
 * Where everything of a compiled stack comes from: plain data for `config trace|tree|search`, made on
 * request by `CompiledStack.explain`, `.explainHost` and `.overview`.
 */

/** A place in a file of the stack; line and column are 1-based. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Which entry a host gets, and which later ones would have taken it: the first match wins. */
export interface HostExplanation {
  readonly hostname: string;
  /** The index of the entry among `documents`, and the pattern of it that matched. */
  readonly matched?: PatternMatch;
  readonly shadowed: readonly PatternMatch[];
  /** Absent without a match: the envoy gets the empty bundle. */
  readonly entry?: EntryExplanation;
}

export interface PatternMatch {
  readonly entry: number;
  readonly pattern: string;
  readonly place: SourcePlace;
}

/** What one entry makes of its envoys. */
export interface EntryExplanation {
  readonly index: number;
  readonly place: SourcePlace;
  readonly patterns: readonly string[];
  readonly environment?: string;
  /** The files that it inherits from, weakest first. */
  readonly layers: readonly LayerExplanation[];
  /** In the order of enforcement. */
  readonly modules: readonly ModuleExplanation[];
  /** Modules that something gives and something takes away. */
  readonly excluded: readonly ExcludedModule[];
}

export interface LayerExplanation {
  readonly layer: 'common' | 'entry' | 'environment';
  readonly place: SourcePlace;
}

export interface ModuleExplanation {
  readonly name: string;
  readonly place: SourcePlace;
  /** Every reason why it is in; at least one. */
  readonly reasons: readonly ModuleReason[];
  /** Its condition, evaluated on the node. */
  readonly when?: ConditionExplanation;
  readonly dependsOn: readonly string[];
  /** By name. */
  readonly vars: readonly VariableExplanation[];
  readonly resources: readonly ResourceExplanation[];
}

/** `place` is the line that names the module. */
export interface ModuleReason {
  readonly kind: 'common' | 'entry' | 'environment' | 'dependency';
  readonly place: SourcePlace;
  /** The role that lists the module, and where the role is given. */
  readonly role?: { readonly name: string; readonly place: SourcePlace };
  /** With kind "dependency": the module that needs it. */
  readonly neededBy?: string;
  /** With kind "environment". */
  readonly environment?: string;
}

export interface ExcludedModule {
  readonly name: string;
  /** What would have put it in. */
  readonly reasons: readonly ModuleReason[];
  /** What takes it out; `place` is the line in exclude_modules. */
  readonly excludedBy: readonly ModuleReason[];
}

export interface ConditionExplanation {
  readonly text: string;
  readonly place: SourcePlace;
}

/** One variable of one module: the value in force, and the weaker ones that it overrode. */
export interface VariableExplanation extends VariableSource {
  readonly name: string;
  /** Strongest first. */
  readonly overridden: readonly VariableSource[];
  /** Values that win on nodes where their condition holds; the last that holds wins. */
  readonly conditional: readonly ConditionalValue[];
}

/** "module": the module's `vars`; "module-environment": its `environment_overrides`. */
export type VariableLayer = 'module' | 'common' | 'entry' | 'module-environment' | 'environment';

export interface VariableSource {
  readonly layer: VariableLayer;
  readonly value: PolicyValue;
  readonly place: SourcePlace;
}

export interface ConditionalValue {
  readonly when: string;
  readonly value: PolicyValue;
  readonly place: SourcePlace;
}

export interface ResourceExplanation {
  /** As the bundle and the reports call it, without the module. */
  readonly name: string;
  readonly type: string;
  readonly place: SourcePlace;
  readonly when?: ConditionExplanation;
  /** With foreach: the variable (absent for elements given in place), and the element that this resource stands for. */
  readonly foreach?: { readonly variable?: string; readonly item: PolicyValue };
  /** With case: the expression; the node chooses. */
  readonly variesOn?: string;
  readonly parameters: readonly ParameterExplanation[];
}

export interface ParameterExplanation {
  readonly name: string;
  /** As written: templates are not rendered. */
  readonly value: PolicyValue;
  readonly from: 'resource' | 'defaults';
  readonly place: SourcePlace;
}

/** All that a stack declares, for trees and searches. */
export interface StackOverview {
  readonly modules: readonly OverviewModule[];
  readonly roles: readonly OverviewRole[];
  readonly entries: readonly OverviewEntry[];
}

export interface OverviewModule {
  readonly name: string;
  readonly place: SourcePlace;
  readonly dependsOn: readonly string[];
  /** Names of its variables, with the values that it declares. */
  readonly vars: readonly { name: string; value: PolicyValue; place: SourcePlace }[];
  /** Before foreach. */
  readonly resources: readonly { name: string; type: string; place: SourcePlace }[];
  /** Indexes of the entries that have it. */
  readonly entries: readonly number[];
}

export interface OverviewRole {
  readonly name: string;
  readonly place: SourcePlace;
  readonly modules: readonly string[];
}

export interface OverviewEntry {
  readonly index: number;
  readonly place: SourcePlace;
  readonly patterns: readonly string[];
  readonly environment?: string;
  readonly roles: readonly string[];
  /** Resolved, in the order of enforcement. */
  readonly modules: readonly string[];
}
