import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One diagnostic as editors get it. */
export interface EditorDiagnostic {
  readonly message: string;
  /** 1 is an error, 2 a warning. */
  readonly severity: number;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const program = fileURLToPath(
  new URL('../../node_modules/yaml-language-server/bin/yaml-language-server', import.meta.url),
);

/** The real yaml-language-server, spoken to over stdio as an editor does. */
export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #schemas: Readonly<Record<string, readonly string[]>>;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #checked = new Map<string, (diagnostics: readonly EditorDiagnostic[]) => void>();
  readonly #rejects: ((error: Error) => void)[] = [];
  #buffer = Buffer.alloc(0);
  #lastId = 0;

  private constructor(schemas: Readonly<Record<string, readonly string[]>>) {
    this.#schemas = schemas;
    this.#child = spawn(process.execPath, [program, '--stdio'], { env: {} });
    this.#child.once('exit', (code) => this.#ended(code));
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** `schemas`: file of a schema -> globs of the files that it is for, besides modelines. */
  static async start(
    schemas: Readonly<Record<string, readonly string[]>> = {},
  ): Promise<LanguageServer> {
    const server = new LanguageServer(schemas);
    await server.request('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        textDocument: {
          publishDiagnostics: {},
          hover: { contentFormat: ['markdown'] },
          completion: { completionItem: { snippetSupport: true } },
        },
        workspace: { configuration: true, didChangeConfiguration: {} },
      },
    });
    server.#send({ method: 'initialized', params: {} });
    server.#send({ method: 'workspace/didChangeConfiguration', params: { settings: {} } });
    return server;
  }

  /** Opens a file, gives its diagnostics, and leaves it open. */
  diagnostics(path: string, text: string): Promise<readonly EditorDiagnostic[]> {
    const uri = pathToFileURL(path).href;
    const checked = new Promise<readonly EditorDiagnostic[]>((resolve, reject) => {
      this.#checked.set(uri, resolve);
      this.#rejects.push(reject);
    });
    const textDocument = { uri, languageId: 'yaml', version: 1, text };
    this.#send({ method: 'textDocument/didOpen', params: { textDocument } });
    return checked;
  }

  async request(method: string, params: unknown): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Message>((resolve) => {
      this.#answers.set(id, resolve);
    });
    this.#send({ id, method, params });
    const { error, result } = await answered;
    if (error !== undefined) throw new Error(error.message);
    return result;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  /** Who waits for a server that is gone is told. */
  #ended(code: number | null): void {
    const error = { message: `the language server ended with ${code}` };
    for (const answer of this.#answers.values()) answer({ error });
    for (const reject of this.#rejects) reject(new Error(error.message));
  }

  #send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin.write(body);
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end === -1) return;
      const header = this.#buffer.subarray(0, end).toString('ascii');
      const length = Number(/Content-Length: (\d+)/i.exec(header)?.[1]);
      const start = end + 4;
      if (this.#buffer.length < start + length) return;
      const body = this.#buffer.subarray(start, start + length).toString('utf8');
      this.#buffer = this.#buffer.subarray(start + length);
      this.#handle(JSON.parse(body) as Message);
    }
  }

  #handle(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) {
      if (id !== undefined) this.#answers.get(id)?.(message);
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: EditorDiagnostic[] };
      this.#checked.get(uri)?.(diagnostics);
    } else if (id !== undefined) {
      this.#send({ id, result: this.#answer(method, params) });
    }
  }

  #answer(method: string, params: unknown): unknown {
    if (method !== 'workspace/configuration') return null;
    const yaml = { schemas: this.#schemas, schemaStore: { enable: false }, validate: true };
    const { items } = params as { items: { section: string }[] };
    return items.map(({ section }) => (section === 'yaml' ? { ...yaml, hover: true } : {}));
  }
}
