/**
 * The policy bundle: everything that one envoy is to enforce, independent of its traits, so that
 * all envoys of the same resolution share one document and one root. Conditions and templates
 * travel as text and are evaluated on the node.
 *
 * On the wire and on disk: canonical JSON (sorted keys, no white space, UTF-8).
 */
export const bundleFormatVersion = 1;

export interface BundleDocument {
  readonly format: typeof bundleFormatVersion;
  /** Modules in the order of enforcement (dependencies first). */
  readonly modules: readonly BundleModule[];
  /** Template files that resources name in `source:`, by their stack path ("templates/x.tmpl"). */
  readonly templates: Readonly<Record<string, string>>;
}

export interface BundleModule {
  readonly name: string;
  readonly when?: string;
  /** Variables after merging; what `.Vars` is in this module. */
  readonly vars: Readonly<Record<string, PolicyValue>>;
  /** Variables that win on nodes where the condition holds, weakest first: the last one wins. */
  readonly conditionalVars?: readonly {
    readonly when: string;
    readonly vars: Readonly<Record<string, PolicyValue>>;
  }[];
  readonly dependsOn: readonly string[];
  readonly resources: readonly BundleResource[];
}

export interface BundleResource {
  /** Unique in its module. */
  readonly name: string;
  readonly type: string;
  readonly when?: string;
  /** Names in the same module, or "module/resource" or a module name across modules. */
  readonly dependsOn: readonly string[];
  readonly before: readonly string[];
  readonly notify: readonly string[];
  readonly subscribes: readonly string[];
  /** The type's own parameters, templates not rendered. */
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  /** The element of `foreach` that this resource stands for: `.Item` and `.Each` of its templates. */
  readonly item?: PolicyValue;
  /**
   * `case` / `match` on something that only the node knows: the rendered `on` names the parameters
   * that win over `parameters`; "default" stands for every other value.
   */
  readonly variants?: {
    readonly on: string;
    readonly match: Readonly<Record<string, Readonly<Record<string, PolicyValue>>>>;
  };
}

/** What a YAML value can be in policy. */
export type PolicyValue =
  | string
  | number
  | boolean
  | null
  | readonly PolicyValue[]
  | { readonly [key: string]: PolicyValue };
