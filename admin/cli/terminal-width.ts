const defaultWidth = 100;
const widthMin = 40;

/** COLUMNS when somebody exported it (POSIX), the terminal's own width, or a fixed one for pipes. */
export function terminalWidth(): number {
  const exported = Number(process.env.COLUMNS);
  if (Number.isInteger(exported) && exported > 0) return Math.max(widthMin, exported);
  return Math.max(widthMin, process.stdout.columns || defaultWidth);
}
