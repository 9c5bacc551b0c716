import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AdminError } from '../errors.ts';

const inputBytesMax = 1024 * 1024;

/** Everything that comes from standard input. */
export async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > inputBytesMax) throw new AdminError('CLI_USAGE', 'the value is too large');
  }
  return Buffer.concat(chunks);
}

/** A line that a person types; it is not shown. */
export async function readHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}
