import { asText } from '../../converge/diff.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { fileLineSchema } from '../../policy/resource-schemas/file-line.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { contentChange } from './content.ts';
import { editLines, type LineEdit, type LinePosition } from './line-edit.ts';
import { followTrusted, occupied, readPath } from './places.ts';

export interface FileLineSpec extends LineEdit {
  readonly path: string;
}

export interface FileLineState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  readonly text: string;
}

const fileBytesLimit = 16 * 1024 * 1024;

/**
 * One line of a text file. The file must be there (its owner creates it); a trusted link is followed.
 * For absent, a missing file or region is as declared.
 */
export const fileLineType: ResourceType<FileLineSpec, FileLineState> = {
  name: 'file_line',
  parameters: fileLineSchema.parameters,
  confinable: true,
  timeoutMs: 60_000,
  parse,
  observe,
  compare,
  apply,
  targets: (spec) => [{ kind: 'path', value: spec.path, effect: 'write' }],
};

function parse(values: Readonly<Record<string, PolicyValue>>): FileLineSpec {
  const reader = new ParameterReader(fileLineSchema.parameters, values);
  const line = values.line === '' ? '' : reader.text('line');
  const spec: FileLineSpec = {
    path: readPath(reader),
    absent: reader.enumeration('state', ['present', 'absent']) === 'absent',
    line,
    match: readRegex(reader, 'match_pattern'),
    position: readPosition(reader),
    regionStart: readRegex(reader, 'region_start'),
    regionEnd: readRegex(reader, 'region_end'),
  };
  if (line !== undefined && /[\r\n]/.test(line)) reader.problem('line', 'must be one line');
  if (!spec.absent && line === undefined) reader.problem('line', 'is required for state present');
  // It would move the region's end in front of itself, and be added again on every pass.
  if (!spec.absent && line !== undefined && isBoundary(line, spec))
    reader.problem('line', 'must not match region_start or region_end');
  if (spec.absent && line === undefined && spec.match === undefined)
    reader.problem('line', 'or match_pattern is required');
  reader.finish();
  return spec;
}

export function isBoundary(line: string, edit: LineEdit): boolean {
  return edit.regionStart?.test(line) === true || edit.regionEnd?.test(line) === true;
}

function readRegex(reader: ParameterReader, name: string): RegExp | undefined {
  const source = reader.text(name);
  return source === undefined ? undefined : toRegex(reader, name, source);
}

function toRegex(reader: ParameterReader, name: string, source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    reader.problem(name, 'is no regular expression');
    return undefined;
  }
}

function readPosition(reader: ParameterReader): LinePosition {
  const position = reader.text('position') ?? 'end';
  if (position === 'end' || position === 'begin') return { at: position };
  const match = /^(after|before):(.+)$/s.exec(position);
  const anchor = match === null ? undefined : toRegex(reader, 'position', match[2]!);
  if (match === null)
    reader.problem('position', 'must be end, begin, after:<regex>, before:<regex>');
  return anchor === undefined
    ? { at: 'end' }
    : { at: match![1] === 'after' ? 'after' : 'before', anchor };
}

async function observe(spec: FileLineSpec, context: ResourceContext): Promise<FileLineState> {
  const { platform } = context;
  const { path, status } = await followTrusted(spec.path, platform);
  if (status === undefined) return { path, status, text: '' };
  if (status.kind !== 'file') throw occupied(spec.path, status.kind, 'file');
  const text = asText(await platform.files.read(path, fileBytesLimit));
  if (text === undefined) throw new AgentError('AGENT_FILE_NOT_TEXT', { detail: spec.path });
  return { path, status, text };
}

function compare(spec: FileLineSpec, { status, text }: FileLineState): Drift {
  if (status === undefined) {
    if (spec.absent) return { action: 'none', reason: 'the file is not there' };
    throw new AgentError('AGENT_PATH_MISSING', { detail: spec.path });
  }
  const edited = editLines(text, spec);
  if (edited === undefined) {
    if (spec.absent) return { action: 'none', reason: 'the region is not there' };
    throw new AgentError('AGENT_REGION_MISSING', { detail: spec.path });
  }
  if (edited === text)
    return { action: 'none', reason: spec.absent ? 'absent as declared' : 'as declared' };
  const bytes = {
    content: new TextEncoder().encode(text),
    wanted: new TextEncoder().encode(edited),
  };
  return {
    action: 'updated',
    reason: spec.absent ? 'the line is there' : 'the line is missing or differs',
    diff: contentChange(spec.path, status.mode, { status, ...bytes }),
  };
}

async function apply(
  spec: FileLineSpec,
  state: FileLineState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const edited = editLines(state.text, spec);
  if (edited === undefined) return;
  await context.snapshot(state.path);
  await context.platform.files.writeAtomic(state.path, new TextEncoder().encode(edited), {});
}
