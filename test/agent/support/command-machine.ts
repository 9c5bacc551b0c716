import { readFileSync } from 'node:fs';
import type { ProgramParts } from '../../../agent/commands/context.ts';
import { vigo } from '../../../agent/commands/program.ts';
import type { Engine } from '../../../agent/converge/engine.ts';
import { type PassResult, passState, summarize } from '../../../agent/converge/result.ts';
import type { Action } from '../../../agent/executors/contract.ts';
import { saveIdentity } from '../../../agent/identity/identity.ts';
import type { RunningAgent } from '../../../agent/live-facts.ts';
import { nodeParts } from '../../../agent/node-parts.ts';
import type { AgentClock } from '../../../agent/platform/platform.ts';
import {
  bundleSigner,
  envoySigner,
  FakeServerChannel,
  fakeEnvoyId,
} from './fake-server-channel.ts';
import { MemoryFiles } from './memory-files.ts';

export type Outcome = PassResult['resources'][number];

export function outcomeOf(id: string, action: Action, rest: Partial<Outcome> = {}): Outcome {
  return {
    id,
    type: 'file',
    action,
    reason: 'differs',
    diff: action === 'none' ? '' : '-a\n+b\n',
    errorCode: '',
    durationMs: 1,
    ...rest,
  };
}

/** The program on files in memory, with a fake server and an engine whose outcome is given. */
export class CommandMachine {
  readonly files = new Map<string, MemoryFiles>();
  readonly server: FakeServerChannel;
  /** Of main/it, unless `outcomes` has more to say. */
  action: Action = 'none';
  outcomes: readonly Outcome[] | undefined;
  /** What answers when the program asks for a running agent. */
  running: RunningAgent | undefined;
  nowMs = 1_790_000_000_000;
  columns: number | undefined;
  /** What the single program carries. */
  licenses: string | undefined;
  output = '';
  errors = '';

  constructor() {
    this.server = new FakeServerChannel(() => this.nowMs);
  }

  open(directory: string): MemoryFiles {
    const files = this.files.get(directory) ?? new MemoryFiles();
    this.files.set(directory, files);
    return files;
  }

  async register(): Promise<void> {
    await saveIdentity(this.open('/c/identity'), {
      envoyId: fakeEnvoyId,
      server: 'localhost:1530',
      bundlePublicKey: bundleSigner.publicKey,
      releasePublicKeys: [],
      intervalMs: 1000,
      registeredAtMs: 1,
      keyPem: 'key',
      certificatePem: 'certificate',
      authorityPem: 'authority',
    });
  }

  async run(...argv: string[]): Promise<number> {
    this.output = '';
    this.errors = '';
    const { licenses } = this;
    const io = {
      argv: ['--config-dir', '/c', '--state-dir', '/s', ...argv],
      terminal: this.columns !== undefined,
      ...(this.columns === undefined ? {} : { columns: this.columns }),
      colour: true,
      ...(licenses === undefined ? {} : { licenses: () => licenses }),
      write: (text: string) => {
        this.output += text;
      },
      writeError: (text: string) => {
        this.errors += text;
      },
      absolute: (path: string) => path,
      readText: (path: string) => readFileSync(path, 'utf8'),
      signal: new AbortController().signal,
    };
    const code = await vigo(io, this.#parts());
    this.server.away = false;
    return code;
  }

  #parts(): ProgramParts {
    const clock: AgentClock = {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      sleep: (delayMs, signal) => nodeParts.clock.sleep(delayMs, signal),
    };
    const engine: Engine = { pass: async ({ dryRun }) => this.#pass(dryRun ?? false) };
    return {
      ...nodeParts,
      clock,
      platform: (settings) => ({ ...nodeParts.platform(settings), clock }),
      openFiles: (directory) => this.open(directory),
      identityCrypto: { ...nodeParts.identityCrypto, signer: () => envoySigner },
      openMutual: () => this.server,
      engine: () => engine,
      openTraits: () => ({
        names: ['os', 'memory'],
        collect: async () => ({
          traits: { os: { family: 'debian', distro: 'debian' } },
          errors: {},
        }),
        isNews: () => false,
      }),
      lock: async () => () => undefined,
      askRunning: async () => this.running,
    };
  }

  #pass(dryRun: boolean): PassResult {
    const resources = this.outcomes ?? [outcomeOf('main/it', this.action)];
    const summary = summarize(resources);
    return {
      dryRun,
      state: passState(summary),
      summary,
      resources,
      pendingTriggers: [],
      aborted: false,
      startedAtMs: this.nowMs,
      durationMs: 2,
    };
  }
}
