import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import { parseWhen } from '../../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Place } from './diagnostics.ts';
import type { Instance } from './expand.ts';
import { identities, manner, normalName } from './identity.ts';
import { scalarText } from './node.ts';

/** What a resource wants of the one thing that it manages. */
export interface Managed {
  /** Kind and name of the thing, such as "path /etc/motd". */
  readonly thing: string;
  readonly type: string;
  readonly resource: string;
  readonly place: Place;
  /** Conditions of the resource, as text. */
  readonly when: string;
  /** What the thing is to be: parameters as text, with the defaults of the type. */
  readonly wanted: ReadonlyMap<string, string>;
  /** Changes a part of a file and leaves the rest. */
  readonly edits: boolean;
}

/** Types that change a part of a file, and the parameter that names the file. */
const editors: Readonly<Record<string, string>> = {
  file_line: 'target_path',
  blockinfile: 'target_path',
  replace: 'target_path',
  ini: 'target_path',
  json_file: 'target_path',
  field_edit: 'path',
};

/** `parameters`: rendered, as far as they are known. Empty when the thing is not known. */
export function managedBy(
  { declaration, name }: Instance,
  parameters: Readonly<Record<string, PolicyValue>>,
  moduleWhen: string | undefined,
): Managed[] {
  const { type, variants, place } = declaration;
  if (variants !== undefined) return [];
  const schema = resourceSchemas.get(type);
  const edits = editors[type] !== undefined;
  const [kind, parameter] = edits ? ['path', editors[type]] : (identities[type] ?? []);
  if (schema === undefined || kind === undefined) return [];
  const own = declaration.when === undefined ? undefined : scalarText(declaration.when);
  const when = [moduleWhen, own].filter((text) => text !== undefined).join(' && ');
  const state = String(parameters.state ?? '');
  // Whoever only answers a change wants nothing of its own.
  if (schema.oneShotStates?.includes(state) || needsTrigger(own ?? '')) return [];
  const value = parameter === undefined ? '' : parameters[parameter];
  if (value === undefined || typeof value === 'object') return [];
  const wanted = new Map<string, string>();
  for (const spec of schema.parameters) {
    if (manner.has(spec.name) || spec.name === parameter) continue;
    // What is given, but not known without traits, is not the default.
    const fallback = declaration.parameters.has(spec.name) ? undefined : spec.default;
    const value = parameters[spec.name] ?? fallback;
    if (value !== undefined) wanted.set(spec.name, JSON.stringify(comparable(value)));
  }
  // A package may be a list of them; "*" stands for whatever is there.
  const names = kind === 'package' ? String(value).split(',') : [String(value)];
  return names
    .map((text) => normalName(kind, text.trim()))
    .filter((text) => text !== '*')
    .map((text) => {
      const thing = parameter === undefined ? kind : `${kind} ${text}`;
      return { thing, type, resource: name, place, when, wanted, edits };
    });
}

function needsTrigger(when: string): boolean {
  try {
    return when.includes('changed') && parseWhen(when).needsTrigger;
  } catch {
    // The condition's own mistake is reported where it is checked.
    return false;
  }
}

/** "true" and true, 0644 and 644 mean the same. */
function comparable(value: PolicyValue): PolicyValue {
  if (value !== null && typeof value === 'object') return value;
  const text = String(value);
  return /^0[0-7]{3}$/.test(text) ? text.slice(1) : text;
}

/** Why both cannot be had at once, or undefined. */
export function contradiction(a: Managed, b: Managed): string | undefined {
  // Both may be conditional on what excludes each other.
  if (a.when !== b.when && a.when !== '' && b.when !== '') return undefined;
  if (a.edits && b.edits) return undefined;
  if (a.edits) return editContradiction(a, b);
  if (b.edits) return editContradiction(b, a);
  if (stateOf(a) === 'absent' && stateOf(b) === 'absent') return undefined;
  if (a.type !== b.type) {
    if (stateOf(a) === 'absent' || stateOf(b) === 'absent') return 'one of them removes it';
    return `one makes it a ${a.type}, the other a ${b.type}`;
  }
  if (isGone(a) !== isGone(b)) return `state ${stateOf(a)} and ${stateOf(b)}`;
  for (const [name, value] of a.wanted) {
    if (name === 'state') continue;
    const other = b.wanted.get(name);
    if (other !== undefined && other !== value) return `different ${name}`;
  }
  if (a.wanted.has('content') && b.wanted.has('source')) return 'content and source';
  if (a.wanted.has('source') && b.wanted.has('content')) return 'source and content';
  return undefined;
}

function editContradiction(editor: Managed, whole: Managed): string | undefined {
  if (whole.type === 'directory' && stateOf(whole) !== 'absent') return 'it is a directory';
  if (stateOf(whole) === 'absent') return 'one of them removes it';
  if (whole.wanted.has('content') || whole.wanted.has('source')) {
    return `${editor.type} edits what file writes whole`;
  }
  return undefined;
}

/** "latest" and "present" go together; these do not go with any other state. */
function isGone(managed: Managed): boolean {
  return ['absent', 'stopped', 'unmounted'].includes(stateOf(managed));
}

function stateOf({ wanted }: Managed): string {
  return (JSON.parse(wanted.get('state') ?? '""') as string) || 'present';
}
