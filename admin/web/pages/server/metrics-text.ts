const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? (\S+)$/;
const labelPair = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples of some families out of what Prometheus reads (exposition format 0.0.4). */
export function samplesOf(text: string, names: readonly string[]): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>(names.map((name) => [name, []]));
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value] = sampleLine.exec(line) ?? [];
    found.get(name)?.push({ labels: labelsOf(labels), value: Number(value) });
  }
  return found;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(labelPair)].map(([, name, value]) => [name, value]));
}
