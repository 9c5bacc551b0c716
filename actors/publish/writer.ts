import type { ActorKind, Address } from '../../runtime/actor.ts';
import type { PolicyTables } from '../policy/tables.ts';

/** Rows of a publish that are too many for one turn. Each batch replies when it is durable. */
export type WriterMessages = {
  write: {
    payload: {
      bundles: (readonly [hexRoot: string, document: Uint8Array])[];
      assignments: (readonly [envoyId: string, root: Uint8Array])[];
    };
    reply: undefined;
  };
};

export function writerAddress(): Address<WriterMessages> {
  return { kind: 'publish-writer', key: 'main' };
}

export function publishWriterKind(tables: PolicyTables): ActorKind<undefined, WriterMessages> {
  return {
    name: 'publish-writer',
    placement: 'service',
    mailboxLimit: 1000,
    idleAfterMs: 0,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      write: (turn, { bundles, assignments }) => {
        for (const [hex, document] of bundles) turn.put(tables.bundles, hex, document);
        for (const [envoyId, root] of assignments) turn.put(tables.assignments, envoyId, root);
        turn.replyAfter('durable');
        return undefined;
      },
    },
  };
}
