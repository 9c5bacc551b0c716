import { makeUuid, uuidToText } from '../../../agent/protocol/uuid.ts';
import type { ActorSystem, Address, OutboxEvent } from '../../../runtime/actor.ts';
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditEventTypeName } from '../../audit/event-types.ts';
import { type OutboxWriterMessages, outboxWriterAddress } from '../../sink/outbox-writer.ts';
import { refusalFlushMs, refusalKindLimit } from './limits.ts';

/** The refusals that are security, and their audit types. */
const auditTypes: Readonly<Record<string, AuditEventTypeName>> = {
  REQUEST_CERTIFICATE_REQUIRED: 'request.refused',
  REQUEST_CERTIFICATE_REFUSED: 'request.refused',
  REQUEST_ENVOY_UNKNOWN: 'request.refused',
  REQUEST_IDENTITY_MISMATCH: 'request.identity_mismatch',
  REQUEST_ENVOY_REVOKED: 'request.revoked',
  REQUEST_CLOCK_SKEW: 'request.clock_skew',
  REQUEST_REPLAYED: 'request.replayed',
  REQUEST_SIGNATURE: 'request.bad_signature',
  REQUEST_SECRET_FOREIGN: 'secret.refused',
};

/** Whose message says what was asked for; the others say no more than their code. */
const told: ReadonlySet<string> = new Set(['REQUEST_SECRET_FOREIGN']);

/** How long a stop waits for the last refusals to be stored. */
const settleDeadlineMs = 2_000;

type RefusalSystem = Pick<ActorSystem, 'ports' | 'tell' | 'ask'>;

export interface RefusalFact {
  readonly code: string;
  readonly message: string;
  readonly envoyId: string | undefined;
  readonly peer: string;
  readonly traceparent: string;
}

interface Gathered {
  readonly first: RefusalFact;
  readonly atMs: number;
  count: number;
}

/**
 * Gathers refusals of one kind (code and envoy, or code and address) and hands them over as one
 * audit event with a count, so that a flood costs a line per period and not a line per request.
 * Beyond `refusalKindLimit` kinds, the rest of a code shares one event.
 */
export class RefusalLog {
  readonly #gathered = new Map<string, Gathered>();
  readonly #system: RefusalSystem;
  readonly #address: Address<OutboxWriterMessages>;
  #scheduled = false;

  constructor(system: RefusalSystem, thread: string) {
    this.#system = system;
    this.#address = outboxWriterAddress(thread);
  }

  add(fact: RefusalFact): void {
    if (auditTypes[fact.code] === undefined) return;
    const subject = fact.envoyId ?? addressOf(fact.peer);
    const wanted = `${fact.code} ${subject}`;
    const full = this.#gathered.size >= refusalKindLimit && !this.#gathered.has(wanted);
    const kind = full ? `${fact.code} others` : wanted;
    const known = this.#gathered.get(kind);
    if (known) known.count += 1;
    else {
      const atMs = this.#system.ports.clock.nowMs();
      this.#gathered.set(kind, { first: fact, atMs, count: 1 });
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#system.ports.clock.after(refusalFlushMs, () => this.flush(), { unref: true });
  }

  /** Hands over what was gathered. */
  flush(): void {
    this.#scheduled = false;
    const events = this.#take();
    if (events.length > 0) this.#system.tell(this.#address, 'write', { events });
  }

  /** As `flush`; resolves when the events are in the outbox. Called before the shard stops. */
  async settle(): Promise<void> {
    const options = { deadlineMs: settleDeadlineMs };
    // A store that takes nothing any more must not keep the shard from stopping.
    await this.#system
      .ask(this.#address, 'write', { events: this.#take() }, options)
      .catch(() => undefined);
  }

  #take(): OutboxEvent[] {
    const events = [...this.#gathered].map(([kind, gathered]) => {
      const body = this.#event(kind, gathered);
      return { type: 'audit', atMs: body.atMs, body };
    });
    this.#gathered.clear();
    return events;
  }

  #event(kind: string, { first, atMs, count }: Gathered): AuditEvent {
    const { code, message, envoyId, peer, traceparent } = first;
    const others = kind.endsWith(' others');
    const subject = others ? 'others' : (envoyId ?? addressOf(peer));
    return {
      id: uuidToText(makeUuid(Uint8Array.from(this.#system.ports.random.bytes(16)))),
      atMs,
      type: auditTypes[code] ?? 'request.refused',
      actor: others || envoyId === undefined ? `peer:${addressOf(peer)}` : `envoy:${envoyId}`,
      subject,
      details: {
        code,
        count,
        peer: addressOf(peer),
        ...(told.has(code) ? { message } : {}),
      },
      ...(traceparent === '' ? {} : { traceparent }),
    };
  }
}

/** The peer without its port, which says nothing and differs every time. */
function addressOf(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(':'));
}
