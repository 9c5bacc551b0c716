import { asText } from '../../converge/diff.ts';
import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus } from '../../platform/platform.ts';
import type { ParameterSpec } from '../../policy/resource-schemas/parameter-spec.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { contentChange } from './content.ts';
import { followTrusted, occupied } from './places.ts';

/** What every editor of a part of a text file declares. */
export interface TextEditSpec {
  /** Declared path of the file. */
  readonly path: string;
  readonly absent: boolean;
  /** Make the file when it is missing; else that is a failure. */
  readonly create: boolean;
  /** Permission bits of a file that is made. */
  readonly newMode?: number | undefined;
}

export interface TextEditState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  readonly text: string;
  /** A file to be made has a directory to be made in. */
  readonly parent: boolean;
}

export interface TextEditor<Spec extends TextEditSpec> {
  readonly name: string;
  readonly parameters: readonly ParameterSpec[];
  parse(values: Readonly<Record<string, PolicyValue>>): Spec;
  /** The whole text after the edit. Pure; throws an AgentError when there is no place for it. */
  edit(text: string, spec: Spec): string;
  /** Why the text is to change, for a person. */
  reason(spec: Spec, text: string): string;
  /** What is as declared, for a person. */
  readonly settled?: (spec: Spec) => string;
}

const fileBytesLimit = 16 * 1024 * 1024;
const newFileMode = 0o644;

/**
 * A type that edits a part of a text file and leaves the rest byte for byte. A trusted link is
 * followed. An edit whose result would be edited again is refused before anything is written, since
 * it would change the file on every pass.
 */
export function textEditType<Spec extends TextEditSpec>(
  editor: TextEditor<Spec>,
): ResourceType<Spec, TextEditState> {
  return {
    name: editor.name,
    parameters: editor.parameters,
    confinable: true,
    timeoutMs: 60_000,
    parse: (values) => editor.parse(values),
    observe,
    compare: (spec, state) => compare(editor, spec, state),
    apply: (spec, state, _drift, context) => apply(editor, spec, state, context),
    targets: (spec) => [{ kind: 'path', value: spec.path, effect: 'write' }],
  };
}

async function observe(spec: TextEditSpec, { platform }: ResourceContext): Promise<TextEditState> {
  const { path, status } = await followTrusted(spec.path, platform);
  if (status === undefined) {
    const parent = await platform.files.status(dirname(path));
    return { path, status, text: '', parent: parent?.kind === 'directory' };
  }
  if (status.kind !== 'file') throw occupied(spec.path, status.kind, 'file');
  const text = asText(await platform.files.read(path, fileBytesLimit));
  if (text === undefined) throw new AgentError('AGENT_FILE_NOT_TEXT', { detail: spec.path });
  return { path, status, text, parent: true };
}

function compare<Spec extends TextEditSpec>(
  editor: TextEditor<Spec>,
  spec: Spec,
  { status, text, parent }: TextEditState,
): Drift {
  if (status === undefined && spec.absent) return { action: 'none', reason: 'no such file' };
  if (status === undefined && !(spec.create && parent))
    throw new AgentError('AGENT_PATH_MISSING', {
      detail: spec.create ? `${dirname(spec.path)} for ${spec.path}` : spec.path,
    });
  const edited = editor.edit(text, spec);
  if (edited === text && status !== undefined)
    return {
      action: 'none',
      reason: editor.settled?.(spec) ?? (spec.absent ? 'absent as declared' : 'as declared'),
    };
  if (editsAgain(editor, spec, edited))
    throw new AgentError('AGENT_EDIT_NOT_STABLE', { detail: spec.path });
  const encoder = new TextEncoder();
  const bytes = { content: encoder.encode(text), wanted: encoder.encode(edited) };
  const mode = status?.mode ?? spec.newMode ?? newFileMode;
  return {
    action: status === undefined ? 'created' : 'updated',
    reason: status === undefined ? `${spec.path} is missing` : editor.reason(spec, text),
    diff: contentChange(spec.path, mode, { status, ...bytes }),
  };
}

function editsAgain<Spec extends TextEditSpec>(
  editor: TextEditor<Spec>,
  spec: Spec,
  edited: string,
): boolean {
  try {
    return editor.edit(edited, spec) !== edited;
  } catch (thrown) {
    if (thrown instanceof AgentError) return true;
    throw thrown;
  }
}

async function apply<Spec extends TextEditSpec>(
  editor: TextEditor<Spec>,
  spec: Spec,
  state: TextEditState,
  context: ResourceContext,
): Promise<void> {
  const content = new TextEncoder().encode(editor.edit(state.text, spec));
  if (state.status !== undefined) await context.snapshot(state.path);
  const mode = state.status === undefined ? { mode: spec.newMode ?? newFileMode } : {};
  await context.platform.files.writeAtomic(state.path, content, mode);
}
