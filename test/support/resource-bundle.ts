import type {
  BundleDocument,
  BundleModule,
  BundleResource,
  PolicyValue,
} from '../../agent/protocol/bundle.ts';

/** What a test says of a resource; the rest is empty. */
export type ResourceInput = Partial<BundleResource> & { readonly type: string };

export function resource(input: ResourceInput): BundleResource {
  return {
    name: 'it',
    dependsOn: [],
    before: [],
    notify: [],
    subscribes: [],
    parameters: {},
    ...input,
  };
}

export function module(
  name: string,
  resources: readonly ResourceInput[],
  rest: Partial<BundleModule> = {},
): BundleModule {
  return { name, vars: {}, dependsOn: [], resources: resources.map(resource), ...rest };
}

export function bundle(
  modules: readonly BundleModule[],
  templates: Readonly<Record<string, string>> = {},
): BundleDocument {
  return { format: 1, modules, templates };
}

/** A bundle of one resource, "main/it". */
export function resourceBundle(
  input: ResourceInput,
  templates: Readonly<Record<string, string>> = {},
  vars: Readonly<Record<string, PolicyValue>> = {},
): BundleDocument {
  return bundle([module('main', [input], { vars })], templates);
}
