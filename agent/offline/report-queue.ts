import { AgentError } from '../errors.ts';
import { type AgentIncident, ReportRequest } from '../protocol/gen/vigo/v1/agent.ts';
import { reportBodyLimit } from '../protocol/limits.ts';
import { encodeRecord, recordHeaderLength, scanLog } from './report-log.ts';
import type { StateFiles } from './state-files.ts';

export const reportsFileName = 'reports';
/** Reports kept for a server that is away: a week of one every minute. */
export const queueEntryLimit = 10_000;
export const queueByteLimit = 32 * 1024 * 1024;
/** Reports kept in memory while the disk refuses them. */
export const volatileEntryLimit = 64;
/** A smaller file is not worth writing anew. */
const compactionFloor = 64 * 1024;

interface Entry {
  readonly sequence: number;
  /** Of the payload in the file; in memory instead when the disk refused it. */
  readonly offset: number;
  readonly length: number;
  readonly payload?: Uint8Array;
}

/**
 * Results on their way to the server, oldest first. A report is durable here before it is sent and
 * stays until the server says that it is settled; what does not fit is dropped from the old end and
 * counted in an incident.
 */
export class ReportQueue {
  readonly #files: StateFiles;
  readonly #nowMs: () => number;
  readonly #entryLimit: number;
  readonly #byteLimit: number;
  #entries: Entry[] = [];
  #incidents: AgentIncident[] = [];
  #last = 0;
  #acknowledged = 0;
  #storeId = 0;
  #end = 0;
  /** The file must be written anew before it is added to. */
  #stale = true;
  #bytes = 0;
  #dropped = 0;

  private constructor(files: StateFiles, nowMs: () => number, limits: QueueLimits) {
    this.#files = files;
    this.#nowMs = nowMs;
    this.#entryLimit = limits.entries ?? queueEntryLimit;
    this.#byteLimit = limits.bytes ?? queueByteLimit;
  }

  static async open(
    files: StateFiles,
    nowMs: () => number,
    limits: QueueLimits = {},
  ): Promise<ReportQueue> {
    const queue = new ReportQueue(files, nowMs, limits);
    await queue.#load();
    return queue;
  }

  /** Highest report sequence created; 0 before the first. */
  get lastSequence(): number {
    return this.#last;
  }

  /** Lowest one still held, or the next one to be created. */
  get oldestSequence(): number {
    return this.#entries[0]?.sequence ?? this.#last + 1;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Reports not yet acknowledged. */
  get unsent(): number {
    return this.#entries.filter((entry) => entry.sequence > this.#acknowledged).length;
  }

  /** Incidents of the queue itself since the last call. */
  takeIncidents(): AgentIncident[] {
    if (this.#dropped > 0)
      this.#incident('AGENT_QUEUE_OVERFLOW', `${this.#dropped} results were dropped`);
    this.#dropped = 0;
    return this.#incidents.splice(0);
  }

  /**
   * Adds the report whose sequence is lastSequence + 1. A disk that refuses is an incident, not an
   * error: the report then waits in memory.
   */
  async add(report: ReportRequest): Promise<void> {
    const payload = ReportRequest.encode(report).finish();
    const sequence = report.reportSequence;
    this.#last = sequence;
    try {
      if (this.#stale) await this.#rewrite();
      await this.#files.append(reportsFileName, this.#end, encodeRecord(payload));
      const offset = this.#end + recordHeaderLength;
      this.#entries.push({ sequence, offset, length: payload.length });
      this.#end = offset + payload.length;
    } catch (error) {
      this.#incident('AGENT_STATE_WRITE', error instanceof Error ? error.message : String(error));
      this.#entries.push({ sequence, offset: 0, length: payload.length, payload });
      this.#boundVolatile();
    }
    this.#bytes += payload.length;
    this.#bound();
  }

  /** The oldest report that is not acknowledged; one that the disk lost is skipped with an incident. */
  async next(): Promise<ReportRequest | undefined> {
    for (const entry of [...this.#entries]) {
      if (entry.sequence <= this.#acknowledged) continue;
      const report = await this.#read(entry);
      if (report !== undefined) return report;
      this.#forget(entry);
      this.#incident('AGENT_STATE_DAMAGED', `result ${entry.sequence} could not be read back`);
    }
    return undefined;
  }

  /** The server has made reports up to `sequence` durable. */
  acknowledge(sequence: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, Math.min(sequence, this.#last));
  }

  /**
   * What a check-in's answer says. A new store has lost what was only acknowledged: everything
   * unsettled is sent again. A server that has settled more than this node remembers lifts the
   * numbering, so that new reports are not taken for old ones.
   */
  async settle(storeId: number, settled: number): Promise<void> {
    if (this.#storeId !== 0 && storeId !== this.#storeId) this.#acknowledged = 0;
    this.#storeId = storeId;
    this.#last = Math.max(this.#last, settled);
    this.#acknowledged = Math.max(this.#acknowledged, settled);
    const gone = this.#entries.filter((one) => one.sequence <= settled);
    for (const entry of gone) this.#forget(entry);
    // `vigo status` and the next start read the file, and must not take settled reports for waiting.
    const emptied = gone.length > 0 && this.#entries.length === 0;
    const wasteful = this.#end > compactionFloor && this.#end > 2 * this.#bytes;
    if (emptied || wasteful) await this.#compact();
  }

  async #load(): Promise<void> {
    const bytes = await this.#files.read(reportsFileName);
    if (bytes === undefined) return;
    const scan = scanLog(bytes, reportBodyLimit);
    this.#end = scan.end;
    this.#stale = scan.damaged > 0;
    for (const { offset, payload } of scan.records) {
      if (payload[0] === headerStart) {
        this.#last = Math.max(this.#last, headerSequence(payload));
        continue;
      }
      const sequence = sequenceOf(payload);
      if (sequence <= (this.#entries.at(-1)?.sequence ?? 0)) continue;
      this.#entries.push({ sequence, offset, length: payload.length });
      this.#bytes += payload.length;
      this.#last = Math.max(this.#last, sequence);
    }
    if (scan.damaged > 0)
      this.#incident('AGENT_STATE_DAMAGED', `${scan.damaged} records of ${reportsFileName}`);
    this.#bound();
  }

  async #read(entry: Entry): Promise<ReportRequest | undefined> {
    try {
      if (entry.payload !== undefined) return ReportRequest.decode(entry.payload);
      const start = entry.offset - recordHeaderLength;
      const bytes = await this.#files.readAt(
        reportsFileName,
        start,
        recordHeaderLength + entry.length,
      );
      const record = scanLog(bytes, reportBodyLimit).records[0];
      return record === undefined ? undefined : ReportRequest.decode(record.payload);
    } catch {
      return undefined;
    }
  }

  #forget(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    this.#bytes -= entry.length;
  }

  #bound(): void {
    while (this.#entries.length > this.#entryLimit || this.#bytes > this.#byteLimit) {
      this.#drop(this.#entries[0]!);
    }
  }

  #boundVolatile(): void {
    const inMemory = this.#entries.filter((entry) => entry.payload !== undefined);
    if (inMemory.length > volatileEntryLimit) this.#drop(inMemory[0]!);
  }

  #drop(entry: Entry): void {
    if (entry.sequence > this.#acknowledged) this.#dropped += 1;
    this.#forget(entry);
  }

  async #compact(): Promise<void> {
    try {
      await this.#rewrite();
    } catch {
      // The old file stays as it is and is still right, only larger; the next answer tries again.
    }
  }

  /** Writes the file anew with what is still held, and what waited in memory with it. */
  async #rewrite(): Promise<void> {
    const parts: Uint8Array[] = [encodeRecord(encodeHeader(this.#last))];
    const entries: Entry[] = [];
    let end = parts[0]!.length;
    for (const entry of this.#entries) {
      const report = await this.#read(entry);
      if (report === undefined) continue;
      const payload = ReportRequest.encode(report).finish();
      parts.push(encodeRecord(payload));
      const offset = end + recordHeaderLength;
      entries.push({ sequence: entry.sequence, offset, length: payload.length });
      end = offset + payload.length;
    }
    const file = new Uint8Array(end);
    let at = 0;
    for (const part of parts) {
      file.set(part, at);
      at += part.length;
    }
    await this.#files.replace(reportsFileName, file);
    this.#entries = entries;
    this.#bytes = entries.reduce((sum, entry) => sum + entry.length, 0);
    this.#end = end;
    this.#stale = false;
  }

  #incident(code: AgentError['code'], detail: string): void {
    this.#incidents.push({
      code,
      message: new AgentError(code, detail).message,
      atMs: this.#nowMs(),
    });
    if (this.#incidents.length > queueIncidentLimit) this.#incidents.shift();
  }
}

const queueIncidentLimit = 20;
/** "{": no encoded ReportRequest begins with it. */
const headerStart = 0x7b;

export interface QueueLimits {
  readonly entries?: number;
  readonly bytes?: number;
}

function encodeHeader(lastSequence: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ lastSequence }));
}

function headerSequence(payload: Uint8Array): number {
  try {
    const header = JSON.parse(new TextDecoder().decode(payload)) as { lastSequence?: unknown };
    return Number.isSafeInteger(header.lastSequence) ? Number(header.lastSequence) : 0;
  } catch {
    return 0;
  }
}

function sequenceOf(payload: Uint8Array): number {
  try {
    return ReportRequest.decode(payload).reportSequence;
  } catch {
    return 0;
  }
}
