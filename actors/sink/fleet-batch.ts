import { ReportRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { AuditEvent } from '../audit/event.ts';
import { unreadableEvent } from './audit-append.ts';
import { type ReportedUpdate, updateEvent } from './envoy-updates.ts';
import { resultsPerRunLimit } from './limits.ts';
import type { FleetEvents } from './messages.ts';
import type { StateNews } from './state-news.ts';

/** What the sink needs of an outbox entry (runtime/outbox.ts). */
export interface FleetEntry {
  readonly storeId: number;
  readonly sequence: number;
  readonly event: { readonly type: string; readonly atMs: number; readonly body: unknown };
}

export interface ReportedRun {
  readonly envoyId: string;
  readonly receivedAtMs: number;
  readonly report: ReportRequest;
}

export interface ReportedTraits {
  readonly envoyId: string;
  readonly hash: string;
  readonly traitsJson: string;
  readonly receivedAtMs: number;
}

/** A batch of outbox entries, sorted by what has to be written. */
export interface FleetBatch {
  /** When the last of its events happened; 0 = it has none. */
  readonly atMs: number;
  readonly runs: readonly ReportedRun[];
  /** The last of each envoy. */
  readonly traits: readonly ReportedTraits[];
  /** In order; of the same news in a row about an envoy, the last. */
  readonly news: readonly StateNews[];
  /** The last of each envoy. */
  readonly updates: readonly ReportedUpdate[];
  readonly audit: readonly AuditEvent[];
}

/**
 * Decodes a batch. An entry that cannot be read becomes an audit event instead of an error: it would
 * otherwise hold up everything behind it for ever.
 */
export function decodeFleetBatch(origin: string, entries: readonly FleetEntry[]): FleetBatch {
  const runs = new Map<string, ReportedRun>();
  const traits = new Map<string, ReportedTraits>();
  const news = new NewsList();
  const updates = new Map<string, ReportedUpdate>();
  const audit: AuditEvent[] = [];
  for (const entry of entries) {
    try {
      decodeEntry(entry, { runs, traits, news, updates, audit });
    } catch {
      audit.push(unreadableEvent(`${origin}/${entry.storeId}`, entry.sequence, entry.event.atMs));
    }
  }
  return {
    atMs: entries.reduce((last, { event }) => Math.max(last, event.atMs), 0),
    runs: [...runs.values()],
    traits: [...traits.values()],
    news: news.all,
    updates: [...updates.values()],
    audit,
  };
}

/** Of the same state in a row the first says since when, the last until when; a change is never left out. */
class NewsList {
  readonly all: StateNews[] = [];
  readonly #last = new Map<string, { at: number; again: boolean }>();

  add(envoyId: string, news: StateNews): void {
    const last = this.#last.get(envoyId);
    const before = last && this.all[last.at];
    const again = before !== undefined && stateIn(before) === stateIn(news);
    if (last?.again === true && again) this.all[last.at] = news;
    else this.#last.set(envoyId, { at: this.all.push(news) - 1, again });
  }
}

function stateIn(news: StateNews): number | 'silent' {
  return 'seen' in news ? news.seen.state : 'silent';
}

interface Sorted {
  readonly runs: Map<string, ReportedRun>;
  readonly traits: Map<string, ReportedTraits>;
  readonly news: NewsList;
  readonly updates: Map<string, ReportedUpdate>;
  readonly audit: AuditEvent[];
}

function decodeEntry({ event }: FleetEntry, sorted: Sorted): void {
  switch (event.type) {
    case 'run.reported': {
      const body = event.body as FleetEvents['run.reported'];
      const report = ReportRequest.decode(body.report);
      if (report.results.length > resultsPerRunLimit) report.results.length = resultsPerRunLimit;
      const key = `${text(body.envoyId)} ${report.reportSequence}`;
      const { envoyId, receivedAtMs } = body;
      if (!sorted.runs.has(key)) sorted.runs.set(key, { envoyId, receivedAtMs, report });
      for (const incident of report.incidents) {
        sorted.audit.push(incidentEvent(body, report.reportSequence, incident));
      }
      return;
    }
    case 'traits.reported': {
      const body = event.body as FleetEvents['traits.reported'];
      sorted.traits.set(text(body.envoyId), {
        envoyId: body.envoyId,
        hash: Buffer.from(body.hash).toString('hex'),
        traitsJson: Buffer.from(body.traitsJson).toString('utf8'),
        receivedAtMs: event.atMs,
      });
      return;
    }
    case 'envoy.seen': {
      const body = event.body as FleetEvents['envoy.seen'];
      sorted.news.add(text(body.envoyId), { seen: body });
      return;
    }
    case 'envoy.silent': {
      const body = event.body as FleetEvents['envoy.silent'];
      sorted.news.add(text(body.envoyId), { silent: body, atMs: event.atMs });
      return;
    }
    case 'update.reported': {
      const body = event.body as ReportedUpdate;
      sorted.updates.set(text(body.envoyId), body);
      sorted.audit.push(updateEvent(body, event.atMs));
      return;
    }
    case 'audit': {
      const body = event.body as AuditEvent;
      text(body.id);
      if (typeof body.details !== 'object') throw new TypeError('an audit event has details');
      sorted.audit.push(body);
      return;
    }
    default:
      throw new TypeError(`there is no event type ${event.type}`);
  }
}

function incidentEvent(
  body: FleetEvents['run.reported'],
  reportSequence: number,
  incident: { code: string; message: string; atMs: number },
): AuditEvent {
  return {
    id: `${body.envoyId}/${reportSequence}/${incident.code}/${incident.atMs}`,
    atMs: body.receivedAtMs,
    type: 'agent.incident',
    actor: `envoy:${body.envoyId}`,
    subject: `${body.envoyId} ${incident.code}`,
    details: { code: incident.code, message: incident.message, reportedAtMs: incident.atMs },
  };
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError('a name is missing');
  return value;
}
