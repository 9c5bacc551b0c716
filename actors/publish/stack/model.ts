import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';
import type { StackNode } from './node.ts';
import type { NamedReference } from './shape.ts';

export type Vars = Readonly<Record<string, PolicyValue>>;

/** A stack after reading: what its files declare, with the places for messages. */
export interface StackModel {
  readonly modules: ReadonlyMap<string, ModuleDeclaration>;
  readonly roles: ReadonlyMap<string, RoleDeclaration>;
  /** In the order in which they are tried: by path of the file, then as written. */
  readonly entries: readonly EntryDeclaration[];
  /** Directory ("" is the stack itself) -> what is inherited from it. */
  readonly commons: ReadonlyMap<string, Assignment>;
  /** Directory -> environment -> what it adds. */
  readonly environments: ReadonlyMap<string, ReadonlyMap<string, Assignment>>;
  /** Files under templates/ by stack path. */
  readonly templates: ReadonlyMap<string, string>;
}

export interface ModuleDeclaration {
  readonly name: string;
  readonly place: Place;
  readonly dependsOn: readonly NamedReference[];
  readonly when: StackNode | undefined;
  readonly vars: Vars;
  readonly environmentVars: ReadonlyMap<string, Vars>;
  readonly resources: readonly ResourceDeclaration[];
}

export interface ResourceDeclaration {
  /** As written, templates not rendered. */
  readonly name: string;
  readonly type: string;
  readonly place: Place;
  readonly when: StackNode | undefined;
  readonly dependsOn: readonly NamedReference[];
  readonly before: readonly NamedReference[];
  readonly notify: readonly NamedReference[];
  readonly subscribes: readonly NamedReference[];
  readonly foreach: NamedReference | undefined;
  readonly variants: VariantDeclaration | undefined;
  /** Parameters with the module's defaults merged in. */
  readonly parameters: ReadonlyMap<string, ParameterDeclaration>;
}

export interface ParameterDeclaration {
  readonly key: Place;
  readonly value: PolicyValue;
  readonly node: StackNode;
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
  readonly roles: readonly NamedReference[];
  readonly modules: readonly NamedReference[];
  readonly excludeModules: readonly NamedReference[];
  readonly vars: Vars;
}

export interface EntryDeclaration extends Assignment {
  readonly place: Place;
  /** Directory of its file, "" for the stack itself. */
  readonly directory: string;
  readonly match: readonly NamedReference[];
  readonly environment: string | undefined;
}
