import { AgentError } from '../../errors.ts';
import { fileLineSchema } from '../../policy/resource-schemas/file-line.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { editLines, type LineEdit, type LinePosition } from './line-edit.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface FileLineSpec extends LineEdit, TextEditSpec {}

/**
 * One line of a text file. The file must be there (its owner creates it); a trusted link is followed.
 * For absent, a missing file or region is as declared.
 */
export const fileLineType = textEditType<FileLineSpec>({
  name: 'file_line',
  parameters: fileLineSchema.parameters,
  parse,
  edit: (text, spec) => {
    const edited = editLines(text, spec);
    if (edited !== undefined) return edited;
    if (spec.absent) return text;
    throw new AgentError('AGENT_REGION_MISSING', { detail: spec.path });
  },
  reason: (spec) => (spec.absent ? 'the line is there' : 'the line is missing or differs'),
});

function parse(values: Readonly<Record<string, PolicyValue>>): FileLineSpec {
  const reader = new ParameterReader(fileLineSchema.parameters, values);
  const line = reader.textOrEmpty('line');
  const spec: FileLineSpec = {
    path: readPath(reader),
    absent: reader.absent(),
    create: false,
    line,
    match: reader.regex('match_pattern'),
    position: readPosition(reader),
    regionStart: reader.regex('region_start'),
    regionEnd: reader.regex('region_end'),
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

function readPosition(reader: ParameterReader): LinePosition {
  const position = reader.text('position') ?? 'end';
  if (position === 'end' || position === 'begin') return { at: position };
  const match = /^(after|before):(.+)$/s.exec(position);
  const anchor = match === null ? undefined : reader.regex('position', '', match[2]);
  if (match === null)
    reader.problem('position', 'must be end, begin, after:<regex>, before:<regex>');
  return anchor === undefined
    ? { at: 'end' }
    : { at: match![1] === 'after' ? 'after' : 'before', anchor };
}
