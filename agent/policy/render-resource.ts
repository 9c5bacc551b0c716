import type { BundleModule, BundleResource, PolicyValue } from '../protocol/bundle.ts';
import {
  isTemplate,
  parseTemplate,
  type Template,
  type TemplateData,
} from './template/template.ts';
import { isList, isMap, type ValueMap } from './template/values.ts';

/** Parsed templates kept by one cache; more are parsed again each time. */
const parsedTemplateLimit = 20_000;

/** Keeps parsed templates by their text, so that a pass every few seconds parses nothing. */
export class TemplateCache {
  readonly #parsed = new Map<string, Template>();

  render(source: string, data: TemplateData): string {
    if (!isTemplate(source)) return source;
    let template = this.#parsed.get(source);
    if (template === undefined) {
      template = parseTemplate(source);
      if (this.#parsed.size >= parsedTemplateLimit) this.#parsed.clear();
      this.#parsed.set(source, template);
    }
    return template.render(data);
  }
}

export interface RenderedResource {
  /** Ready for the resource type's `parse`; a `source:` of the stack has become `content`. */
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  /** The condition's text after rendering; undefined when there is none. */
  readonly when: string | undefined;
}

/**
 * Renders every text of a bundle's resource for one node. Throws AgentError POLICY_TEMPLATE_*;
 * `templates` are those of the bundle document.
 */
export function renderResource(
  resource: BundleResource,
  module: BundleModule,
  traits: ValueMap,
  templates: Readonly<Record<string, string>>,
  cache: TemplateCache = new TemplateCache(),
): RenderedResource {
  const data = templateData(resource, module, traits);
  const declared = selectVariant(resource, data, cache);
  const { source } = declared;
  const file =
    typeof source === 'string' && Object.hasOwn(templates, source) ? templates[source] : undefined;
  const { source: _, ...others } = declared;
  const parameters = renderValue(file === undefined ? declared : others, data, cache) as ValueMap;
  return {
    parameters:
      file === undefined ? parameters : { ...parameters, content: cache.render(file, data) },
    when: resource.when === undefined ? undefined : cache.render(resource.when, data),
  };
}

function templateData(
  resource: BundleResource,
  module: BundleModule,
  traits: ValueMap,
): TemplateData {
  const data = { Vars: module.vars, Traits: traits };
  return resource.item === undefined ? data : { ...data, Item: resource.item, Each: resource.item };
}

function selectVariant(
  resource: BundleResource,
  data: TemplateData,
  cache: TemplateCache,
): ValueMap {
  if (resource.variants === undefined) return resource.parameters;
  const { on, match } = resource.variants;
  const value = cache.render(on, data);
  const key = Object.hasOwn(match, value) ? value : 'default';
  return Object.hasOwn(match, key)
    ? { ...resource.parameters, ...match[key] }
    : resource.parameters;
}

/** Renders the texts inside lists and maps too; keys stay as they are. */
export function renderValue(
  value: PolicyValue,
  data: TemplateData,
  cache: TemplateCache,
): PolicyValue {
  if (typeof value === 'string') return cache.render(value, data);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => renderValue(item, data, cache));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, renderValue(item, data, cache)]),
  );
}
