/** Label name -> value. */
export type Labels = Readonly<Record<string, string>>;

export type MetricType = 'counter' | 'gauge' | 'histogram';

const nameShape = /^[a-z][a-z0-9_]*$/;

/**
 * Text of the Prometheus exposition format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters end in `_total`; units are
 * base units and stand in the name (https://prometheus.io/docs/practices/naming/).
 */
export class Exposition {
  readonly #lines: string[] = [];
  readonly #seen = new Set<string>();

  /** One family and all its samples. Values that are not known are left out, never shown as 0. */
  family(
    type: MetricType,
    name: string,
    help: string,
    samples: Iterable<readonly [labels: Labels, value: number | undefined]>,
  ): void {
    if (!nameShape.test(name) || this.#seen.has(name)) throw new Error(`metric name ${name}`);
    if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${type} ${name}`);
    this.#seen.add(name);
    this.#head(type, name, help);
    for (const [labels, value] of samples) this.#sample(name, labels, value);
  }

  gauge(name: string, help: string, value: number | undefined): void {
    this.family('gauge', name, help, [[{}, value]]);
  }

  counter(name: string, help: string, value: number | undefined): void {
    this.family('counter', name, help, [[{}, value]]);
  }

  /** `counts` are of each bucket alone, the last one of what is above all bounds. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    series: Iterable<readonly [labels: Labels, counts: readonly number[], sum: number]>,
  ): void {
    this.#head('histogram', name, help);
    for (const [labels, counts, sum] of series) {
      let below = 0;
      for (const [at, count] of counts.entries()) {
        below += count;
        const le = at < bounds.length ? String(bounds[at]) : '+Inf';
        this.#sample(`${name}_bucket`, { ...labels, le }, below);
      }
      this.#sample(`${name}_sum`, labels, sum);
      this.#sample(`${name}_count`, labels, below);
    }
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #head(type: MetricType, name: string, help: string): void {
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    this.#lines.push(`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`);
  }

  #sample(name: string, labels: Labels, value: number | undefined): void {
    if (value === undefined) return;
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    this.#lines.push(
      `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numberText(value)}`,
    );
  }
}

function escapeLabel(text: string): string {
  return Buffer.from(text)
    .toString()
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
