import { AgentError, type AgentErrorCode } from './errors.ts';
import type { LogFields, Logger } from './log.ts';
import type { AgentIncident } from './protocol/gen/vigo/v1/agent.ts';
import { repeatedReportMs } from './report.ts';

const waitingLimit = 100;

/** Refusals and accidents on their way into the next report; the same one again only after a while. */
export class IncidentLog {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  /** As many as there are codes. */
  readonly #lastTold = new Map<AgentErrorCode, number>();
  #waiting: AgentIncident[] = [];

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Anything thrown that is not coded becomes an AGENT_INTERNAL. */
  add(error: unknown, fields: LogFields = {}): void {
    const coded =
      error instanceof AgentError
        ? error
        : new AgentError('AGENT_INTERNAL', { detail: String(error) }, { cause: error });
    const nowMs = this.#nowMs();
    const told = this.#lastTold.get(coded.code);
    // A clock that was set back must not keep trouble secret until it has caught up.
    const repeated = told !== undefined && Math.abs(nowMs - told) < repeatedReportMs;
    this.#log.log(repeated ? 'debug' : 'error', coded.message, { ...fields, code: coded.code });
    if (repeated) return;
    this.#lastTold.set(coded.code, nowMs);
    this.push({ code: coded.code, message: coded.message, atMs: nowMs });
  }

  push(...incidents: readonly AgentIncident[]): void {
    this.#waiting.push(...incidents);
    if (this.#waiting.length > waitingLimit) this.#waiting = this.#waiting.slice(-waitingLimit);
  }

  take(): AgentIncident[] {
    return this.#waiting.splice(0);
  }
}
