import { blockinfileSchema } from '../../policy/resource-schemas/blockinfile.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { joinLines, splitText } from './line-edit.ts';
import { readMode } from './ownership.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface BlockSpec extends TextEditSpec {
  readonly begin: string;
  readonly end: string;
  readonly block: readonly string[];
}

/**
 * A block of lines between two marker lines. A missing block goes to the end of the file. When a
 * person lost one of the markers, the other one and what of the declared block stands beside it are
 * taken out, never lines that are not declared; a second block of the same label goes.
 */
export const blockinfileType = textEditType<BlockSpec>({
  name: 'blockinfile',
  parameters: blockinfileSchema.parameters,
  parse,
  edit: editBlock,
  reason: (spec, text) => {
    if (spec.absent) return `the block ${quoted(spec)} is there`;
    const there = splitText(text).bare.some((line) => line === spec.begin || line === spec.end);
    return there ? `the block ${quoted(spec)} differs` : `the block ${quoted(spec)} is missing`;
  },
});

function quoted(spec: BlockSpec): string {
  return `"${spec.begin}"`;
}

function parse(values: Readonly<Record<string, PolicyValue>>): BlockSpec {
  const reader = new ParameterReader(blockinfileSchema.parameters, values);
  const label = reader.text('label') ?? 'managed';
  const marker = (name: 'marker_begin' | 'marker_end', word: string) =>
    (reader.text(name) ?? `# ${word} {label} - managed by vigo`).replaceAll('{label}', label);
  const content = reader.text('block_content');
  const spec: BlockSpec = {
    path: readPath(reader),
    absent: reader.absent(),
    create: reader.boolean('create') === true,
    newMode: readMode(reader),
    begin: marker('marker_begin', 'BEGIN'),
    end: marker('marker_end', 'END'),
    block: content === undefined ? [] : content.replace(/\r?\n$/, '').split(/\r?\n/),
  };
  if (!spec.absent && content === undefined)
    reader.problem('block_content', 'is required for state present');
  if (spec.begin === spec.end) reader.problem('marker_end', 'must differ from marker_begin');
  for (const [name, line] of [
    ['marker_begin', spec.begin],
    ['marker_end', spec.end],
  ] as const) {
    if (/[\r\n]/.test(line) || line.trim() === '') reader.problem(name, 'must be one line');
    if (spec.block.includes(line)) reader.problem('block_content', `must not hold the ${name}`);
  }
  if (spec.block.some((line) => line.includes('\r') || line.includes('\0')))
    reader.problem('block_content', 'must hold lines of text');
  reader.finish();
  return spec;
}

interface Blocks {
  /** Where the kept block begins, in the lines that stay. */
  readonly place: number | undefined;
  readonly rest: readonly string[];
  /** The file holds just one block, as declared. */
  readonly right: boolean;
}

export function editBlock(text: string, spec: BlockSpec): string {
  const old = splitText(text);
  const { place, rest, right } = takeOut(old.lines, old.bare, spec);
  if (spec.absent) return place === undefined ? text : joinLines(rest, text, old);
  if (right) return text;
  const block = [spec.begin, ...spec.block, spec.end].map((line) => line + old.carriage);
  const at = place ?? rest.length;
  return joinLines([...rest.slice(0, at), ...block, ...rest.slice(at)], text, old);
}

function takeOut(lines: readonly string[], bare: readonly string[], spec: BlockSpec): Blocks {
  const gone = new Set<number>();
  let first: number | undefined;
  let pairs = 0;
  let matches = true;
  const take = (from: number, to: number) => {
    for (let index = from; index <= to; index += 1) gone.add(index);
    first = Math.min(first ?? from, from);
  };
  let open: number | undefined;
  bare.forEach((line, index) => {
    if (line === spec.begin) {
      if (open !== undefined) take(open, open + matchedAfter(bare, open, spec.block));
      open = index;
    } else if (line === spec.end) {
      if (open === undefined) take(index - matchedBefore(bare, index, spec.block), index);
      else {
        pairs += 1;
        const inner = bare.slice(open + 1, index);
        matches &&=
          inner.length === spec.block.length && inner.every((l, i) => l === spec.block[i]);
        take(open, index);
      }
      matches &&= open !== undefined;
      open = undefined;
    }
  });
  if (open !== undefined) {
    matches = false;
    take(open, open + matchedAfter(bare, open, spec.block));
  }
  const size = spec.block.length + 2;
  const rest = lines.filter((_, index) => !gone.has(index));
  return { place: first, rest, right: pairs === 1 && matches && gone.size === size };
}

function matchedAfter(bare: readonly string[], at: number, block: readonly string[]): number {
  let count = 0;
  while (count < block.length && bare[at + 1 + count] === block[count]) count += 1;
  return count;
}

function matchedBefore(bare: readonly string[], at: number, block: readonly string[]): number {
  let count = 0;
  while (count < block.length && at > count && bare[at - 1 - count] === block.at(-1 - count))
    count += 1;
  return count;
}
