/**
 * Makes test/corpus/templates anew: hand-written and generated templates with what Go's text/template
 * makes of them. Needs Debian's golang-go (Go 1.19): node test/tools/template-corpus.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TemplateGrammar } from './template-grammar.ts';
import { corpusData, seeds } from './template-seeds.ts';

export interface CorpusCase {
  readonly template: string;
  /**
   * `nil`: Go printed a nil as <no value>, which ours refuses; `bytes`: Go's output is no UTF-8, which
   * policy cannot hold.
   */
  readonly kind: 'ok' | 'parse' | 'exec' | 'missing' | 'nil' | 'bytes';
  readonly output: string;
}

const generatedCount = 900;
const generatorSeed = 20_190_119;

/** One case to a line. */
export const corpusDirectory = new URL('../corpus/templates/', import.meta.url);

/** What Go makes of the templates. */
function renderWithGo(templates: readonly string[]): CorpusCase[] {
  const cache = mkdtempSync(join(tmpdir(), 'vigo-go-'));
  try {
    const program = fileURLToPath(new URL('go/render-templates.go', import.meta.url));
    const run = spawnSync('go', ['run', program], {
      input: JSON.stringify({ data: corpusData, templates }),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, GOCACHE: cache, GO111MODULE: 'off' },
    });
    if (run.status !== 0) throw new Error(run.stderr);
    const results = JSON.parse(run.stdout) as { kind: CorpusCase['kind']; output: string }[];
    return results.map(({ kind, output }, at) => ({ template: templates[at]!, kind, output }));
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** The templates of each file of the corpus. */
export function corpusTemplates(): Record<string, string[]> {
  return {
    'hand-written.jsonl': Object.values(seeds).flat(),
    'generated.jsonl': generateTemplates(generatedCount, generatorSeed),
  };
}

/** Different templates of the grammar. */
function generateTemplates(count: number, seed: number): string[] {
  const grammar = new TemplateGrammar(seed);
  const made = new Set<string>();
  while (made.size < count) made.add(grammar.template());
  return [...made];
}

function write(name: string, cases: readonly CorpusCase[]): void {
  const lines = cases.map((one) => `${JSON.stringify(one)}\n`);
  writeFileSync(new URL(name, corpusDirectory), lines.join(''));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(corpusDirectory, { recursive: true });
  for (const [name, templates] of Object.entries(corpusTemplates())) {
    write(name, renderWithGo(templates));
  }
}
