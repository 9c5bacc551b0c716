const grouped = new Intl.NumberFormat('en-US');

/** 98204 as "98,204". */
export function count(value: number): string {
  return grouped.format(value);
}

/** One digit near the ends, where it matters, and never rounded up to all: 99.9, not 100. */
export function percent(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value === 0 || value === 100) return String(value);
  const shown = Math.floor(value * 10) / 10;
  return shown >= 90 || shown < 10 ? shown.toFixed(1) : String(Math.round(shown));
}

/** A rate or a latency: three digits that count. */
export function figure(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return count(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2).replace(/0$/, '');
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
