import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const reader = fileURLToPath(new URL('rest-reader.ts', import.meta.url));

/** Reads the REST API of a server that only answers inside a network namespace. */
export class Rest {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  #last: Promise<unknown> = Promise.resolve();
  #complaint = '';

  /** `home`: of the server, which must be running. */
  constructor(namespace: string, home: string) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
    this.#process = spawn('ip', ['netns', 'exec', namespace, ...node, reader, home]);
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#complaint += chunk.toString()));
    this.#process.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#process.stdout });
  }

  /** One question at a time. */
  get<T>(path: string): Promise<T> {
    const answer = this.#last.then(() => this.#ask(path));
    this.#last = answer.catch(() => undefined);
    return answer as Promise<T>;
  }

  stop(): void {
    this.#process.kill();
  }

  async #ask(path: string): Promise<unknown> {
    const closed = new AbortController();
    const answered = once(this.#lines, 'line', { signal: closed.signal });
    const end = () => closed.abort();
    if (this.#process.exitCode !== null) end();
    this.#process.once('close', end);
    this.#process.stdin.write(`${path}\n`);
    try {
      const [line] = (await answered) as [string];
      return JSON.parse(line);
    } catch (cause) {
      throw new Error(`${path}: no answer: ${this.#complaint}`, { cause });
    } finally {
      this.#process.off('close', end);
    }
  }
}
