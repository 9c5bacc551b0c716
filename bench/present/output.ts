import { writeFileSync } from 'node:fs';
import { BenchError } from '../errors.ts';
import { viewHtml } from './html.ts';
import { viewMarkdown } from './markdown.ts';
import { viewText } from './text.ts';
import type { ReportView } from './view.ts';

export interface OutputOptions {
  readonly json?: boolean;
  readonly html?: string;
  readonly markdown?: string;
}

/** The report on standard output, as text or as JSON, and in the files that were asked for. */
export function put(view: ReportView, report: unknown, options: OutputOptions): void {
  if (options.html !== undefined) write(options.html, viewHtml(view));
  if (options.markdown !== undefined) write(options.markdown, viewMarkdown(view));
  const words = options.json === true ? JSON.stringify(report, null, 2) : viewText(view);
  process.stdout.write(`${words}\n`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BenchError('BENCH_FILE', error instanceof Error ? error.message : String(error));
  }
}
