import { AgentError } from '../errors.ts';
import { causeOf } from '../platform/command.ts';
import type { Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';
import type { LocalTime, WhenEnvironment } from '../policy/when/environment.ts';
import { valueAt } from '../policy/when/known.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { Traits } from './compile.ts';

type Vars = Readonly<Record<string, PolicyValue>>;

const conditionTimeoutMs = 30_000;
const processLimit = 100_000;

/** What conditions see: the node's state beneath the root, its traits, its clock. */
export class NodeConditions implements WhenEnvironment {
  readonly triggered: boolean;
  readonly #platform: Platform;
  readonly #traits: Traits;
  readonly #signal: AbortSignal;
  readonly #vars: Vars;

  /** `vars` are those of the module; without them conditions that read variables fail. */
  constructor(
    platform: Platform,
    traits: Traits,
    triggered: boolean,
    signal: AbortSignal,
    vars: Vars = {},
  ) {
    this.#platform = platform;
    this.#traits = traits;
    this.triggered = triggered;
    this.#signal = signal;
    this.#vars = vars;
  }

  trait(path: string): PolicyValue | undefined {
    return valueAt(this.#traits, path);
  }

  variable(path: string): PolicyValue | undefined {
    return valueAt(this.#vars, path);
  }

  localTime(): LocalTime {
    const now = new Date(this.#platform.clock.nowMs());
    return {
      hour: now.getHours(),
      minute: now.getMinutes(),
      dayOfWeek: now.getDay(),
      dayOfMonth: now.getDate(),
    };
  }

  async fileExists(path: string): Promise<boolean> {
    return (await this.#kind(path)) === 'file';
  }

  async directoryExists(path: string): Promise<boolean> {
    return (await this.#kind(path)) === 'directory';
  }

  async #kind(declared: string): Promise<string | undefined> {
    const path = await this.#platform.paths.resolve(declared, { followLast: true });
    return (await this.#platform.files.status(path))?.kind;
  }

  async processRunning(name: string): Promise<boolean> {
    const entries = (await this.#platform.files.list('/proc')).filter((one) => /^\d+$/.test(one));
    for (const pid of entries.slice(0, processLimit)) {
      if ((await this.#processName(pid)) === name.slice(0, 15)) return true;
    }
    return false;
  }

  /** The kernel keeps 15 bytes of a name. */
  async #processName(pid: string): Promise<string> {
    try {
      const name = await this.#platform.files.read(`/proc/${pid}/comm`);
      return new TextDecoder().decode(name).trimEnd();
    } catch (thrown) {
      if (thrown instanceof PlatformError) return '';
      throw thrown;
    }
  }

  async commandSucceeds(command: string): Promise<boolean> {
    if (this.#platform.paths.confined)
      throw new AgentError('AGENT_TYPE_NOT_CONFINABLE', { detail: 'condition command_succeeds' });
    const result = await this.#platform.processes.run({
      argv: ['/bin/sh', '-c', command],
      timeoutMs: conditionTimeoutMs,
      signal: this.#signal,
    });
    if (result.timedOut) throw new AgentError('AGENT_COMMAND_TIMEOUT', { detail: causeOf(result) });
    return result.exitCode === 0;
  }
}
