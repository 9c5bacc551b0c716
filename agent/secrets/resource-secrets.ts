import { AgentError } from '../errors.ts';
import {
  collectPaths,
  referencesInActions,
  replaceInValue,
  replaceReferences,
} from '../policy/secret-references.ts';
import { isTemplate, parseTemplate, type TemplateData } from '../policy/template/template.ts';
import type { BundleModule, BundleResource, PolicyValue } from '../protocol/bundle.ts';
import type { SecretValues } from './secret-values.ts';

type Parameters = Readonly<Record<string, PolicyValue>>;
type Texts = Readonly<Record<string, string>>;

/** Paths named in the reason of a blocked resource. */
const namedLimit = 5;

/** A resource with what its parameters can be made of. */
export interface SecretScope {
  readonly resource: BundleResource;
  readonly module: BundleModule;
  /** Template files of the bundle that the resource may use. */
  readonly templates: Texts;
}

/**
 * The secrets that a resource's parameters can hold: of its own texts and templates, and of the
 * variables that those read. Found without rendering, so that it is known before any value is. Rather
 * too many than one too few: a resource that might hold a secret shows no content.
 */
export function secretPathsOf({ resource, module, templates }: SecretScope): ReadonlySet<string> {
  const paths = new Set<string>();
  const { parameters, variants, item } = resource;
  const own: PolicyValue[] = [
    parameters,
    item ?? null,
    variants?.on ?? '',
    variants?.match ?? null,
  ];
  for (const value of [...own, templates]) collectPaths(value, paths);
  const variables = [module.vars, ...(module.conditionalVars ?? []).map(({ vars }) => vars)];
  const inVariables = new Set<string>();
  for (const vars of variables) collectPaths(vars, inVariables);
  if (inVariables.size === 0) return paths;
  for (const text of textsOf([...own, templates]))
    for (const path of variablePaths(text))
      for (const vars of variables) collectPaths(valueAt(vars, path), paths);
  return paths;
}

function textsOf(value: PolicyValue): string[] {
  if (typeof value === 'string') return isTemplate(value) ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(textsOf);
}

/** Paths below `.Vars` that a template reads; the empty path is all of them. */
function variablePaths(text: string): (readonly string[])[] {
  try {
    return parseTemplate(text)
      .references()
      .filter(({ root }) => root === 'Vars' || root === '')
      .map(({ root, path }) => (root === '' ? [] : path));
  } catch {
    // What is wrong with it shows when it is rendered; until then it may read everything.
    return [[]];
  }
}

/** The value at a path, or the last one on the way to it: more is read than the path says. */
function valueAt(vars: Parameters, path: readonly string[]): PolicyValue | undefined {
  let value: PolicyValue = vars;
  for (const part of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    if (!Object.hasOwn(value, part)) return undefined;
    value = (value as Parameters)[part]!;
  }
  return value;
}

/** Puts marks where references stand, so that a value is never read as a template. */
export class SecretMarks {
  readonly #prefix: string;
  readonly #paths: string[] = [];

  /** `nonce`: text that nothing on the node can know. */
  constructor(nonce: string) {
    this.#prefix = `vigo-secret-${nonce}-`;
  }

  /** Throws AGENT_SECRET_MISPLACED for a reference inside a template action. */
  text(text: string): string {
    const [misplaced] = referencesInActions(text);
    if (misplaced !== undefined) throw new AgentError('AGENT_SECRET_MISPLACED', misplaced.path);
    return replaceReferences(text, (path) => this.#mark(path));
  }

  value(value: PolicyValue): PolicyValue {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item)]));
  }

  /** The values in place of their marks. */
  fill(value: PolicyValue, values: SecretValues): PolicyValue {
    if (typeof value === 'string') return this.#fillText(value, values);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((item) => this.fill(item, values));
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.fill(item, values)]),
    );
  }

  #mark(path: string): string {
    const known = this.#paths.indexOf(path);
    return `${this.#prefix}${known === -1 ? this.#paths.push(path) - 1 : known};`;
  }

  #fillText(text: string, values: SecretValues): string {
    const parts = text.split(this.#prefix);
    const [first = '', ...rest] = parts;
    return rest.reduce((filled, part) => {
      const end = part.indexOf(';');
      const path = this.#paths[Number(part.slice(0, end))];
      const value = end <= 0 || path === undefined ? undefined : values.get(path);
      // A template that cut a mark apart; nothing of it may reach the node.
      if (value === undefined) throw new AgentError('AGENT_SECRET_MISPLACED');
      return filled + value + part.slice(end + 1);
    }, first);
  }
}

/** Template data whose variables hold the values. */
export function withValues(data: TemplateData, values: SecretValues): TemplateData {
  const fill = (value: PolicyValue) => replaceInValue(value, (path) => values.get(path) ?? '');
  const vars = fill(data.Vars) as Parameters;
  if (data.Item === undefined) return { ...data, Vars: vars };
  const item = fill(data.Item);
  return { ...data, Vars: vars, Item: item, Each: item };
}

/** Throws AGENT_SECRETS_UNAVAILABLE naming the paths without a value. */
export function requireValues(paths: ReadonlySet<string>, values: SecretValues | undefined): void {
  const missing = [...paths].filter((path) => values?.get(path) === undefined);
  if (missing.length === 0) return;
  const named = missing.slice(0, namedLimit).join(', ');
  const more = missing.length > namedLimit ? ` and ${missing.length - namedLimit} more` : '';
  throw new AgentError('AGENT_SECRETS_UNAVAILABLE', named + more);
}
