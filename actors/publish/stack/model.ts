import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';
import type { StackNode } from './node.ts';
import type { NamedReference } from './shape.ts';

export type Vars = Readonly<Record<string, PolicyValue>>;

/** Variables as one place declares them. */
export interface VarsDeclaration {
  readonly values: Vars;
  /** Where each name stands. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Variables that win on nodes where the condition holds. */
export interface ConditionalVars {
  readonly when: string;
  readonly node: StackNode;
  readonly vars: VarsDeclaration;
}

/** A stack after reading: what its files declare, with the places for messages. */
export interface StackModel {
  readonly modules: ReadonlyMap<string, ModuleDeclaration>;
  readonly roles: ReadonlyMap<string, RoleDeclaration>;
  /** In the order in which they are tried: by path of the file, then as written. */
  readonly entries: readonly EntryDeclaration[];
  /** Directory ("" is the stack itself) -> what is inherited from it, weakest first. */
  readonly commons: ReadonlyMap<string, readonly Assignment[]>;
  /** Directory -> environment -> what it adds. */
  readonly environments: ReadonlyMap<string, ReadonlyMap<string, Assignment>>;
  /** What files with mistakes may declare: references to it are not reported on top. */
  readonly unread: { readonly modules: ReadonlySet<string>; readonly roles: boolean };
  /** Files under templates/ by stack path. */
  readonly templates: ReadonlyMap<string, string>;
}

export interface ModuleDeclaration {
  readonly name: string;
  readonly place: Place;
  readonly dependsOn: readonly NamedReference[];
  readonly when: StackNode | undefined;
  readonly vars: VarsDeclaration;
  readonly environmentVars: ReadonlyMap<string, VarsDeclaration>;
  readonly conditionalVars: readonly ConditionalVars[];
  readonly resources: readonly ResourceDeclaration[];
  /** The resources by name; of two with the same name the first. */
  readonly resourcesByName: ReadonlyMap<string, ResourceDeclaration>;
}

export interface ResourceDeclaration {
  /** As written, templates not rendered. */
  readonly name: string;
  /** False when it is called after what it manages. */
  readonly named: boolean;
  readonly type: string;
  readonly place: Place;
  readonly when: StackNode | undefined;
  readonly dependsOn: readonly NamedReference[];
  readonly before: readonly NamedReference[];
  readonly notify: readonly NamedReference[];
  readonly subscribes: readonly NamedReference[];
  readonly foreach: ForeachDeclaration | undefined;
  readonly variants: VariantDeclaration | undefined;
  /** Parameters with the module's defaults merged in. */
  readonly parameters: ReadonlyMap<string, ParameterDeclaration>;
}

/** Over the variable of that name (dots lead into maps), or over the elements themselves. */
export interface ForeachDeclaration {
  readonly variable: string | undefined;
  readonly elements: PolicyValue | undefined;
  readonly node: StackNode;
}

export interface ParameterDeclaration {
  readonly key: Place;
  readonly value: PolicyValue;
  readonly node: StackNode;
  readonly from: 'resource' | 'defaults';
}

export interface VariantDeclaration {
  readonly on: string;
  readonly node: StackNode;
  readonly match: ReadonlyMap<string, ReadonlyMap<string, ParameterDeclaration>>;
}

export interface RoleDeclaration {
  readonly name: string;
  readonly place: Place;
  readonly modules: readonly NamedReference[];
}

/** Modules, roles and variables, given by an entry, a common.vgo or an environment. */
export interface Assignment {
  readonly place: Place;
  readonly roles: readonly NamedReference[];
  readonly modules: readonly NamedReference[];
  readonly excludeModules: readonly NamedReference[];
  readonly vars: VarsDeclaration;
  readonly conditionalVars: readonly ConditionalVars[];
}

export interface EntryDeclaration extends Assignment {
  /** Directory of its file, "" for the stack itself. */
  readonly directory: string;
  readonly match: readonly NamedReference[];
  readonly environment: NamedReference | undefined;
}
