import { type NoCell, typeBackends } from './type-backends.ts';
import {
  type CoverageCase,
  type CoverageKind,
  coverageCases,
  coverageKinds,
  type RecordedCell,
} from './type-coverage.ts';

/** Test file -> the cells that it showed, "type|back-end|case|kind", sorted. */
export type CoverageRecord = Readonly<Record<string, readonly string[]>>;

/** Cases without which a type is not proven; trouble is different for every type. */
const requiredCases: readonly CoverageCase[] = coverageCases.filter((one) => one !== 'trouble');
/** Parameters are read before a back-end is chosen. */
const sharedCases: readonly CoverageCase[] = ['bad parameters'];

export function toRecord(cells: readonly RecordedCell[]): Record<string, string[]> {
  const record: Record<string, string[]> = {};
  for (const { file, type, backend, case: name, kind } of cells) {
    const text = [type, backend, name, kind].join('|');
    const own = record[file] ?? [];
    record[file] = own;
    if (!own.includes(text)) own.push(text);
  }
  for (const own of Object.values(record)) own.sort();
  return record;
}

export interface CoverageRow {
  readonly type: string;
  readonly backend: string;
  /** Case -> how it was shown; none when it was not. */
  readonly cells: ReadonlyMap<CoverageCase, readonly CoverageKind[]>;
}

/** One row for every back-end of every type, in the order of the types. */
export function coverageRows(record: CoverageRecord, types: readonly string[]): CoverageRow[] {
  const shown = new Set(Object.values(record).flat());
  return types.flatMap((type) =>
    (typeBackends[type] ?? ['']).map((backend) => ({
      type,
      backend,
      cells: new Map(
        coverageCases.map((name) => {
          const places = sharedCases.includes(name)
            ? [...(typeBackends[type] ?? []), '']
            : [backend];
          const has = (kind: CoverageKind) =>
            places.some((place) => shown.has([type, place, name, kind].join('|')));
          return [name, coverageKinds.filter(has)] as const;
        }),
      ),
    })),
  );
}

export function reasonOf(
  row: Pick<CoverageRow, 'type' | 'backend'>,
  name: CoverageCase,
  reasons: readonly NoCell[],
): NoCell | undefined {
  return reasons.find(
    ({ type, backend, cases }) =>
      type === row.type && (backend ?? row.backend) === row.backend && cases.includes(name),
  );
}

/** Required cells that are empty, and nobody says why. */
export function unexplainedCells(
  rows: readonly CoverageRow[],
  reasons: readonly NoCell[],
): string[] {
  return rows.flatMap((row) =>
    requiredCases
      .filter((name) => row.cells.get(name)?.length === 0)
      .filter((name) => reasonOf(row, name, reasons) === undefined)
      .map((name) => `${row.type} ${row.backend}: ${name}`),
  );
}

/** Reasons for cells that are not empty any more, or not there. */
export function staleReasons(rows: readonly CoverageRow[], reasons: readonly NoCell[]): string[] {
  return reasons.flatMap((reason) =>
    reason.cases
      .filter((name) => {
        const concerned = rows.filter((row) => reasonOf(row, name, [reason]) !== undefined);
        return concerned.every((row) => (row.cells.get(name)?.length ?? 0) > 0);
      })
      .map((name) => `${reason.type} ${reason.backend ?? ''}: ${name}`),
  );
}

const marks: Readonly<Record<CoverageKind, string>> = {
  real: 'real',
  recorded: 'recorded',
  simulated: 'sim',
};

/** The page for people. */
export function coveragePage(rows: readonly CoverageRow[], reasons: readonly NoCell[]): string {
  const used = reasons.filter(({ cases }) => cases.length > 0);
  const cell = (row: CoverageRow, name: CoverageCase): string => {
    const kinds = row.cells.get(name) ?? [];
    if (kinds.length > 0) return kinds.map((kind) => marks[kind]).join(', ');
    const reason = reasonOf(row, name, used);
    return reason === undefined ? '' : `([${used.indexOf(reason) + 1}](#why-a-cell-is-empty))`;
  };
  const lines = rows.map((row) => {
    const cells = coverageCases.map((name) => cell(row, name));
    return `| ${[`\`${row.type}\``, row.backend, ...cells].join(' | ')} |`;
  });
  const head = ['Type', 'Back-end', ...coverageCases];
  return [
    '# What is tested of every resource type',
    '<!-- Made by: node test/tools/type-coverage.ts -->',
    'Each cell says how the case was shown by a test that ran. **real**: files and programs of the operating system, here or on a lab host. **recorded**: programs played from what real ones printed. **sim**: real files, and programs played by the test.',
    'Every row of a golden table is also dry-run where every write is refused; "interruption" breaks each call of a pass and lets the next pass end right; "trouble" is what must fail or be blocked with a code.',
    [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines].join('\n'),
    '## Why a cell is empty',
    used
      .map(
        ({ type, backend, reason }, at) =>
          `${at + 1}. \`${type}\`${backend === undefined ? '' : ` (${backend})`}: ${reason}`,
      )
      .join('\n'),
    '',
  ].join('\n\n');
}
