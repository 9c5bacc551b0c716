import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Real OpenSSH in a directory of its own; everything is gone at the end of the test. */
export class OpenSsh {
  readonly directory: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(t: Pick<Test, 'teardown'>) {
    this.directory = mkdtempSync(join(tmpdir(), 'vigo-ssh-'));
    const { PATH } = process.env;
    this.#environment = { PATH, HOME: this.directory };
    t.teardown(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /** The path of a new private key; its public half stands beside it. */
  key(name: string, type = 'ed25519', passphrase = ''): string {
    const file = join(this.directory, name);
    const more = type === 'rsa' ? ['-b', '2048'] : [];
    const words = ['-q', '-t', type, '-N', passphrase, '-C', `${name}@test`, '-f', file];
    this.run('ssh-keygen', [...words, ...more]);
    return file;
  }

  publicLine(file: string): string {
    return readFileSync(`${file}.pub`, 'utf8').trim();
  }

  /** Signs as a person would. */
  sign(file: string, message: string, namespace: string, more: string[] = []): string {
    return this.run('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', file, ...more], message);
  }

  /** What the program printed. */
  run(program: string, words: string[], input = ''): string {
    const env = this.#environment;
    const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe'];
    return execFileSync(program, words, { env, input, stdio, encoding: 'utf8' });
  }

  /** A running agent with these keys; its socket. */
  async agent(t: Pick<Test, 'teardown'>, files: readonly string[]): Promise<string> {
    const socket = join(this.directory, `agent-${files.length}-${Date.now()}`);
    const child = spawn('ssh-agent', ['-D', '-a', socket], { env: this.#environment });
    t.teardown(() => child.kill());
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      // It prints its address once it listens.
      child.stdout.once('data', () => resolve());
    });
    this.#environment.SSH_AUTH_SOCK = socket;
    for (const file of files) this.run('ssh-add', ['-q', file]);
    return socket;
  }
}
