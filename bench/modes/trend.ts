/** A straight line through points: least squares. */
export interface Trend {
  readonly slope: number;
  readonly intercept: number;
  /** One standard error of the slope; 0 with fewer than three points. */
  readonly slopeError: number;
}

export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const count = points.length;
  if (count === 0) return { slope: 0, intercept: 0, slopeError: 0 };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = spread > 0 ? together / spread : 0;
  const intercept = meanY - slope * meanX;
  const residual = points.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);
  const isKnown = count > 2 && spread > 0;
  return {
    slope,
    intercept,
    slopeError: isKnown ? Math.sqrt(residual / (count - 2) / spread) : 0,
  };
}
