/** A report as people read it, before it is text, Markdown or HTML. */
export interface ReportView {
  readonly title: string;
  /** The answer in one sentence; `good` colours it. */
  readonly verdict: { readonly good: boolean; readonly text: string };
  readonly sections: readonly Section[];
  readonly charts: readonly Chart[];
  /** What a reader must know before believing the figures. */
  readonly warnings: readonly string[];
}

export interface Section {
  readonly title: string;
  readonly facts?: readonly Fact[];
  readonly table?: Table;
  readonly notes?: readonly string[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** Absent = neither good nor bad. */
  readonly good?: boolean;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly xUnit: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Dots instead of a line: what was measured beside what is modelled. */
  readonly dots?: boolean;
}

export function fact(name: string, value: string, good?: boolean): Fact {
  return good === undefined ? { name, value } : { name, value, good };
}
