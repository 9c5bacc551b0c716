import { AgentError } from '../errors.ts';
import type { AnyResourceType } from '../executors/contract.ts';
import type { Platform } from '../platform/platform.ts';
import { holdsReference } from '../policy/secret-references.ts';
import { isTemplate, type TemplateData } from '../policy/template/template.ts';
import type { BundleResource, PolicyValue } from '../protocol/bundle.ts';
import {
  requireValues,
  SecretMarks,
  secretPathsOf,
  withValues,
} from '../secrets/resource-secrets.ts';
import type { SecretValues } from '../secrets/secret-values.ts';
import type { Finish, Render, Rendered } from './compile.ts';
import type { PlanNode } from './plan.ts';

type Texts = Readonly<Record<string, string>>;
type RenderWithSecrets = (data: TemplateData, secrets: SecretValues) => Rendered;

/** How the compiler makes a resource, secrets aside. */
export interface ResourceCompiler {
  readonly templates: ReadonlyMap<string, Render>;
  compileText(text: string): Render;
  compileResource(
    resource: BundleResource,
    type: AnyResourceType,
    templates: ReadonlyMap<string, Render>,
    finish: Finish,
  ): (data: TemplateData) => Rendered;
}

export interface SecretResource {
  readonly node: PlanNode;
  readonly type: AnyResourceType;
  /** Template files of the bundle. */
  readonly texts: Texts;
  readonly nonce: string;
}

/**
 * A resource whose texts may refer to secrets. Values are put in after its templates were rendered,
 * into variables before: neither is read as a template, and functions of templates see the value.
 */
export function compileWithSecrets(
  { node, type, texts, nonce }: SecretResource,
  compiler: ResourceCompiler,
): { secretPaths: ReadonlySet<string>; render: RenderWithSecrets } {
  const { resource, module } = node;
  const own = usedTexts(resource, type, texts);
  const secretPaths = secretPathsOf({ resource, module, templates: own });
  if (secretPaths.size === 0) {
    const render = compiler.compileResource(resource, type, compiler.templates, (done) => done);
    return { secretPaths, render };
  }
  let last: { secrets: SecretValues; render: (data: TemplateData) => Rendered } | undefined;
  return {
    secretPaths,
    render: (data, secrets) => {
      requireValues(secretPaths, secrets);
      if (last?.secrets !== secrets)
        last = { secrets, render: compileMarked(resource, type, own, nonce, compiler, secrets) };
      return last.render(withValues(data, secrets));
    },
  };
}

function compileMarked(
  resource: BundleResource,
  type: AnyResourceType,
  texts: Texts,
  nonce: string,
  compiler: ResourceCompiler,
  secrets: SecretValues,
): (data: TemplateData) => Rendered {
  const marks = new SecretMarks(nonce);
  const { variants } = resource;
  if (variants !== undefined && holdsReference(variants.on))
    throw new AgentError('AGENT_SECRET_MISPLACED', 'case');
  const match = variants && (marks.value(variants.match) as typeof variants.match);
  const marked: BundleResource = {
    ...resource,
    parameters: marks.value(resource.parameters) as BundleResource['parameters'],
    ...(variants === undefined || match === undefined ? {} : { variants: { ...variants, match } }),
  };
  const templates = new Map(compiler.templates);
  for (const [name, text] of Object.entries(texts))
    if (holdsReference(text)) templates.set(name, compiler.compileText(marks.text(text)));
  const finish: Finish = (rendered) => marks.fill(rendered, secrets) as ReturnType<Finish>;
  return compiler.compileResource(marked, type, templates, finish);
}

/** Template files that the resource names, or all when only rendering tells which. */
function usedTexts({ parameters, variants }: BundleResource, type: AnyResourceType, texts: Texts) {
  const sets = [parameters, ...Object.values(variants?.match ?? {})];
  const names = Object.keys(type.templateParameters ?? {}).flatMap((key) =>
    sets.map((set) => set[key]).filter((value): value is PolicyValue => value !== undefined),
  );
  const used: Record<string, string> = {};
  for (const name of names) {
    if (typeof name !== 'string') continue;
    if (isTemplate(name)) return texts;
    const text = texts[name];
    if (text !== undefined) used[name] = text;
  }
  return used;
}

/** Real paths that a resource writes, with the last link followed and not. */
export async function writtenPaths(
  rendered: Rendered,
  { paths }: Pick<Platform, 'paths'>,
): Promise<string[]> {
  const found = new Set<string>();
  for (const { kind, effect, value } of rendered.targets) {
    if (kind !== 'path' || effect !== 'write') continue;
    for (const followLast of [false, true]) found.add(await paths.resolve(value, { followLast }));
  }
  return [...found];
}
