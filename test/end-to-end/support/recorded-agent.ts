import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ProgramParts } from '../../../agent/commands/context.ts';
import { vigo } from '../../../agent/commands/program.ts';
import { nodeParts } from '../../../agent/node-parts.ts';
import type { Channel } from '../../../agent/transport.ts';
import { makeToken } from './agent-process.ts';
import type { TestServer } from './server-process.ts';

/** One decoded message of the wire, as it went into TLS or came out of it. */
export interface RecordedMessage {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** Notes every message of a channel, both ways. */
class RecordingChannel implements Channel {
  readonly #inner: Channel;
  readonly #messages: RecordedMessage[];

  constructor(inner: Channel, messages: RecordedMessage[]) {
    this.#inner = inner;
    this.#messages = messages;
  }

  async call(...[path, request, options]: Parameters<Channel['call']>): Promise<Uint8Array> {
    this.#messages.push({ what: `request ${path}`, bytes: Uint8Array.from(request) });
    const answer = await this.#inner.call(path, request, options);
    this.#messages.push({ what: `answer ${path}`, bytes: Uint8Array.from(answer) });
    return answer;
  }

  close(): void {
    this.#inner.close();
  }
}

/**
 * The whole agent in this process, on this machine's own root, so that commands may run: what it
 * manages must lie in its directory. Everything that it says or sends is kept.
 */
export class RecordedAgent {
  readonly directory: string;
  readonly messages: RecordedMessage[] = [];
  readonly output: string[] = [];
  readonly #parts: ProgramParts;

  constructor(t: { teardown(run: () => void): void }) {
    this.directory = mkdtempSync(join(tmpdir(), 'vigo-recorded-'));
    for (const name of ['config', 'state', 'managed']) mkdirSync(join(this.directory, name));
    t.teardown(() => rmSync(this.directory, { recursive: true, force: true }));
    this.#parts = {
      ...nodeParts,
      openMutual: (server, identity) =>
        new RecordingChannel(nodeParts.openMutual(server, identity), this.messages),
    };
  }

  managed(name: string): string {
    return join(this.directory, 'managed', name);
  }

  read(name: string): string | undefined {
    const path = this.managed(name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** Runs `vigo` as a new process would, and resolves with its exit code and what it wrote. */
  async vigo(...argv: string[]): Promise<{ code: number; text: string }> {
    const texts: string[] = [];
    const keep = (text: string) => {
      texts.push(text);
    };
    const places = ['--config-dir', 'config', '--state-dir', 'state'];
    const code = await vigo(
      {
        argv: [...argv, ...places, '--log-level', 'trace'],
        terminal: false,
        write: keep,
        writeError: keep,
        absolute: (path) => resolve(this.directory, path),
        readText: (path) => readFileSync(path, 'utf8'),
        signal: new AbortController().signal,
      },
      this.#parts,
    );
    const text = texts.join('');
    this.output.push(text);
    return { code, text };
  }

  async enroll(server: TestServer, hostname: string): Promise<void> {
    const token = await makeToken(server, [hostname]);
    const where = ['--server', `localhost:${server.run?.grpcPort}`];
    const ended = await this.vigo('register', ...where, '--token', token, '--hostname', hostname);
    if (ended.code !== 0) throw new Error(`vigo register: ${ended.text}`);
  }
}
