import { AgentError } from '../../errors.ts';
import { replaceSchema } from '../../policy/resource-schemas/replace.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { findRegion, splitText } from './line-edit.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

/** A piece of a replacement: text, or the number or name of a group. */
type Piece = { readonly text: string } | { readonly group: number | string };

export interface ReplaceSpec extends TextEditSpec {
  readonly match: RegExp;
  readonly pieces: readonly Piece[];
  readonly regionStart: RegExp | undefined;
  readonly regionEnd: RegExp | undefined;
}

/**
 * Every match of an expression (or the first one) replaced. `^` and `$` are the ends of a line, and
 * an expression may span lines. `$1`, `${1}`, `${name}` and `$0` stand for groups, `$$` for a dollar.
 */
export const replaceType = textEditType<ReplaceSpec>({
  name: 'replace',
  parameters: replaceSchema.parameters,
  parse,
  edit: replaceText,
  reason: (spec) => `the text matches ${shown(spec.match)}`,
  settled: (spec) => `nothing left to replace for ${shown(spec.match)}`,
});

const shownLimit = 80;

function shown(expression: RegExp): string {
  const { source } = expression;
  return `/${source.length > shownLimit ? `${source.slice(0, shownLimit)}…` : source}/`;
}

function parse(values: Readonly<Record<string, PolicyValue>>): ReplaceSpec {
  const reader = new ParameterReader(replaceSchema.parameters, values);
  const all = reader.enumeration('occurrences', ['all', 'first']) !== 'first';
  const match = reader.regex('match_pattern', all ? 'gm' : 'm') ?? /(?!)/;
  const replacement = reader.textOrEmpty('replacement');
  if (replacement === undefined) reader.problem('replacement', 'is required');
  const pieces = replacementPieces(replacement ?? '');
  const missing = pieces.find((piece) => 'group' in piece && !hasGroup(match, piece.group));
  if (missing !== undefined) reader.problem('replacement', 'names a group that the pattern lacks');
  const spec: ReplaceSpec = {
    path: readPath(reader),
    absent: false,
    create: false,
    match,
    pieces,
    regionStart: reader.regex('region_start'),
    regionEnd: reader.regex('region_end'),
  };
  reader.finish();
  return spec;
}

function replacementPieces(replacement: string): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  for (const found of replacement.matchAll(/\$(?:(\$)|(\d{1,2})|\{(\w+)\})/g)) {
    pieces.push({ text: replacement.slice(last, found.index) + (found[1] ?? '') });
    const group = found[2] ?? found[3];
    if (group !== undefined) pieces.push({ group: /^\d+$/.test(group) ? Number(group) : group });
    last = found.index + found[0].length;
  }
  return [...pieces, { text: replacement.slice(last) }];
}

/** With an empty alternative every expression matches, and the match tells its groups. */
function hasGroup(expression: RegExp, group: number | string): boolean {
  const match = new RegExp(`${expression.source}|`).exec('');
  if (typeof group === 'number') return group < (match?.length ?? 1);
  return match?.groups !== undefined && group in match.groups;
}

export function replaceText(text: string, spec: ReplaceSpec): string {
  const { lines, bare, carriage } = splitText(text);
  const region = findRegion(bare, spec);
  if (region === undefined) throw new AgentError('AGENT_REGION_MISSING', { detail: spec.path });
  const expand = (match: readonly (string | undefined)[], groups: Groups) =>
    spec.pieces
      .map((piece) => {
        if ('text' in piece) return carriage === '' ? piece.text : withCarriage(piece.text);
        return (typeof piece.group === 'number' ? match[piece.group] : groups?.[piece.group]) ?? '';
      })
      .join('');
  const [start, end] = bytesOf(lines, region.start, region.end, text.length);
  const part = text.slice(start, end).replace(spec.match, (...found: unknown[]) => {
    const groups = typeof found.at(-1) === 'object' ? (found.at(-1) as Groups) : undefined;
    return expand(found.slice(0, groups === undefined ? -2 : -3) as string[], groups);
  });
  return text.slice(0, start) + part + text.slice(end);
}

type Groups = Readonly<Record<string, string | undefined>> | undefined;

function withCarriage(text: string): string {
  return text.replace(/\r?\n/g, '\r\n');
}

/** Offsets of a range of lines; the line feed after its last line is not part of it. */
function bytesOf(
  lines: readonly string[],
  from: number,
  to: number,
  length: number,
): [number, number] {
  const before = (count: number) =>
    lines.slice(0, count).reduce((sum, line) => sum + line.length + 1, 0);
  if (from === 0 && to >= lines.length) return [0, length];
  const start = Math.min(before(from), length);
  return [start, Math.max(start, Math.min(before(to) - 1, length))];
}
