import { runTool } from '../command.ts';
import type { Platform, RunResult } from '../platform.ts';
import { Serial } from '../serial.ts';
import { type FailureCauses, packageFailure } from './package-failure.ts';
import type { PackageOperationOptions } from './package-manager.ts';

type Argv = readonly [string, ...string[]];

export interface PackageToolKnowledge {
  readonly causes: FailureCauses;
  /** Lines of output that tell the trouble. */
  readonly complaint: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
  /** Exit codes besides 0 that are no failure. */
  readonly accepted?: readonly number[];
}

const queryOutputLimit = 16 * 1024 * 1024;

/** Runs a package manager: changes one after another, since its database has one lock. */
export class PackageTool {
  readonly #platform: Platform;
  readonly #knowledge: PackageToolKnowledge;
  readonly #changes = new Serial();

  constructor(platform: Platform, knowledge: PackageToolKnowledge) {
    this.#platform = platform;
    this.#knowledge = knowledge;
  }

  /** One operation of several calls of `change`, between which no other one happens. */
  exclusively(operation: () => Promise<void>): Promise<void> {
    return this.#changes.run(operation);
  }

  /** Only within `exclusively`. Throws the AgentError of what went wrong. */
  async change(argv: Argv, options: PackageOperationOptions): Promise<RunResult> {
    const { timeoutMs, signal } = options;
    return this.#succeed(await this.#run(argv, { timeoutMs, signal }));
  }

  /** A question whose answer may be long; `also`: exit codes that are answers too. */
  async ask(argv: Argv, also: readonly number[] = []): Promise<RunResult> {
    return this.#succeed(await this.#run(argv, { outputLimit: queryOutputLimit }), also);
  }

  failure(result: RunResult) {
    return packageFailure(result, this.#knowledge.causes, this.#knowledge.complaint);
  }

  #run(
    argv: Argv,
    options: { timeoutMs?: number; signal?: AbortSignal | undefined; outputLimit?: number },
  ): Promise<RunResult> {
    return runTool(this.#platform, argv, {
      ...options,
      environment: this.#knowledge.environment ?? {},
    });
  }

  #succeed(result: RunResult, also: readonly number[] = []): RunResult {
    const accepted = [0, ...(this.#knowledge.accepted ?? []), ...also];
    if (!accepted.includes(result.exitCode)) throw this.failure(result);
    return result;
  }
}
