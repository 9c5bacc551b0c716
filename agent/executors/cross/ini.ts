import { iniSchema } from '../../policy/resource-schemas/ini.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { joinLines, splitText, type TextLines } from './line-edit.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface IniSpec extends TextEditSpec {
  /** Undefined for the part before the first section. */
  readonly section: string | undefined;
  readonly key: string;
  readonly value: string;
  readonly separator: string;
}

interface Entry {
  readonly index: number;
  /** Everything up to the value: indentation, key and separator as they stand. */
  readonly lead: string;
  readonly value: string;
}

const sectionPattern = /^\s*\[([^\]]*)\]\s*(?:[;#].*)?$/;
const commentPattern = /^\s*[;#]/;

/**
 * One setting of an INI file. A line that is there keeps its spelling and gets another value; the
 * spaces around the separator are no drift. Further lines of the same key in the section go.
 */
export const iniType = textEditType<IniSpec>({
  name: 'ini',
  parameters: iniSchema.parameters,
  parse,
  edit: editIni,
  reason: (spec, text) => {
    const old = splitText(text);
    const found = entries(old, ranges(old, spec.section), spec).length;
    if (spec.absent) return `${label(spec)} is set`;
    if (found === 0) return `${label(spec)} is not set`;
    return found > 1 ? `${label(spec)} is set ${found} times` : `${label(spec)} has another value`;
  },
});

function label({ section, key }: IniSpec): string {
  return section === undefined ? key : `[${section}] ${key}`;
}

function parse(values: Readonly<Record<string, PolicyValue>>): IniSpec {
  const reader = new ParameterReader(iniSchema.parameters, values);
  const absent = reader.absent();
  const value = reader.textOrEmpty('value');
  const spec: IniSpec = {
    path: readPath(reader),
    absent,
    create: true,
    section: reader.text('section')?.trim(),
    key: reader.text('key')?.trim() ?? '',
    value: (value ?? '').trim(),
    separator: reader.text('separator') ?? '=',
  };
  if (!absent && value === undefined) reader.problem('value', 'is required for state present');
  if (/[\r\n\0]/.test(spec.value)) reader.problem('value', 'must be one line');
  if (/[\]\r\n\0]/.test(spec.section ?? '')) reader.problem('section', 'must not hold "]"');
  if (/[\r\n\0]/.test(spec.separator)) reader.problem('separator', 'must be on one line');
  const mark = spec.separator.trim();
  const split = mark === '' ? /\s/.test(spec.key) : spec.key.includes(mark);
  if (split || /^[[;#]|[\r\n\0]/.test(spec.key))
    reader.problem('key', 'must be one key: no separator in it, no "[", ";" or "#" before it');
  reader.finish();
  return spec;
}

export function editIni(text: string, spec: IniSpec): string {
  const old = splitText(text);
  const places = ranges(old, spec.section);
  const found = entries(old, places, spec);
  if (spec.absent) {
    if (found.length === 0) return text;
    const gone = new Set(found.map(({ index }) => index));
    return joinLines(
      old.lines.filter((_, index) => !gone.has(index)),
      text,
      old,
    );
  }
  const [first, ...others] = found;
  if (first === undefined) return joinLines(inserted(old, places, spec), text, old);
  if (first.value === spec.value && others.length === 0) return text;
  const gone = new Set(others.map(({ index }) => index));
  const edited = old.lines
    .map((line, index) => (index === first.index ? replaced(line, first, spec) : line))
    .filter((_, index) => !gone.has(index));
  return joinLines(edited, text, old);
}

function replaced(line: string, entry: Entry, spec: IniSpec): string {
  if (entry.value === spec.value) return line;
  return entry.lead + spec.value + (line.endsWith('\r') ? '\r' : '');
}

interface Range {
  /** First line of the part, after its header. */
  readonly start: number;
  readonly end: number;
}

/** A section may be opened more than once. */
function ranges({ bare }: TextLines, section: string | undefined): Range[] {
  const found: Range[] = [];
  let start = section === undefined ? 0 : undefined;
  bare.forEach((line, index) => {
    const name = sectionPattern.exec(line)?.[1];
    if (name === undefined) return;
    if (start !== undefined) found.push({ start, end: index });
    start = name.trim() === section ? index + 1 : undefined;
  });
  if (start !== undefined) found.push({ start, end: bare.length });
  return found;
}

function entries({ bare }: TextLines, places: readonly Range[], spec: IniSpec): Entry[] {
  const mark = spec.separator.trim();
  return places.flatMap(({ start, end }) =>
    bare.slice(start, end).flatMap((line, offset): Entry[] => {
      if (commentPattern.test(line)) return [];
      const body = line.trimStart();
      if (!body.startsWith(spec.key)) return [];
      const rest = body.slice(spec.key.length);
      const separator = (mark === '' ? /^\s+|^$/ : /^\s*/).exec(rest)?.[0];
      if (separator === undefined || !rest.slice(separator.length).startsWith(mark)) return [];
      const after = rest.slice(separator.length + mark.length);
      const value = after.trim();
      const lead = line.slice(0, line.length - after.trimStart().length);
      // A key alone, where a space separates.
      const gap = separator === '' && mark === '' ? spec.separator : '';
      return [{ index: start + offset, lead: lead + gap, value }];
    }),
  );
}

function inserted(old: TextLines, places: readonly Range[], spec: IniSpec): string[] {
  const line = `${spec.key}${spec.separator}${spec.value}`.trimEnd() + old.carriage;
  const place = places.at(-1);
  if (place === undefined) {
    const last = old.bare.at(-1);
    const gap = last === undefined || last.trim() === '' ? [] : [old.carriage];
    return [...old.lines, ...gap, `[${spec.section}]${old.carriage}`, line];
  }
  let at = place.end;
  while (at > place.start && old.bare[at - 1]!.trim() === '') at -= 1;
  return [...old.lines.slice(0, at), line, ...old.lines.slice(at)];
}
