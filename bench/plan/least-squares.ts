/** One observation: what was known, and what came of it. */
export interface Observation {
  readonly inputs: readonly number[];
  readonly output: number;
}

/**
 * Coefficients, none below zero, whose weighted sum of the inputs comes nearest to the outputs. Every
 * choice of inputs that may be zero is tried, so there may be few of them (four or less).
 */
export function nonNegativeFit(observations: readonly Observation[]): number[] {
  const width = observations[0]?.inputs.length ?? 0;
  let best = new Array<number>(width).fill(0);
  let bestError = errorOf(observations, best);
  for (let chosen = 1; chosen < 2 ** width; chosen += 1) {
    const columns = best.map((_, at) => at).filter((at) => (chosen & (1 << at)) !== 0);
    const solved = solve(observations, columns);
    if (solved === undefined || solved.some((value) => value < 0)) continue;
    const whole = new Array<number>(width).fill(0);
    for (const [at, column] of columns.entries()) whole[column] = solved[at] ?? 0;
    const error = errorOf(observations, whole);
    if (error < bestError) [best, bestError] = [whole, error];
  }
  return best;
}

function errorOf(observations: readonly Observation[], coefficients: readonly number[]): number {
  return observations.reduce((sum, { inputs, output }) => {
    const said = inputs.reduce((total, input, at) => total + input * (coefficients[at] ?? 0), 0);
    return sum + (said - output) ** 2;
  }, 0);
}

/** Normal equations by elimination, scaled; undefined when the inputs do not tell them apart. */
function solve(
  observations: readonly Observation[],
  columns: readonly number[],
): number[] | undefined {
  const scales = columns.map((at) =>
    Math.max(1e-300, ...observations.map(({ inputs }) => Math.abs(inputs[at] ?? 0))),
  );
  const input = (row: Observation, at: number) =>
    (row.inputs[columns[at] ?? 0] ?? 0) / (scales[at] ?? 1);
  const matrix = columns.map((_, i) => [
    ...columns.map((__, j) =>
      observations.reduce((sum, row) => sum + input(row, i) * input(row, j), 0),
    ),
    observations.reduce((sum, row) => sum + input(row, i) * row.output, 0),
  ]);
  const reduced = eliminate(matrix);
  return reduced?.map((value, at) => value / (scales[at] ?? 1));
}

const singular = 1e-9;

/** Gauss-Jordan with the largest pivot. */
function eliminate(matrix: readonly (readonly number[])[]): number[] | undefined {
  const rows = matrix.map((row) => [...row]);
  const size = rows.length;
  for (let at = 0; at < size; at += 1) {
    const pivot = largestBelow(rows, at);
    const [here, there] = [rows[at], rows[pivot]];
    if (here === undefined || there === undefined) return undefined;
    [rows[at], rows[pivot]] = [there, here];
    const lead = there[at] ?? 0;
    if (Math.abs(lead) < singular) return undefined;
    for (const [index, row] of rows.entries()) {
      if (index === at) continue;
      const factor = (row[at] ?? 0) / lead;
      for (let column = at; column <= size; column += 1) {
        row[column] = (row[column] ?? 0) - factor * (there[column] ?? 0);
      }
    }
  }
  return rows.map((row, at) => (row[size] ?? 0) / (row[at] ?? 1));
}

function largestBelow(rows: readonly (readonly number[])[], column: number): number {
  let best = column;
  for (let at = column; at < rows.length; at += 1) {
    if (Math.abs(rows[at]?.[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0)) best = at;
  }
  return best;
}
