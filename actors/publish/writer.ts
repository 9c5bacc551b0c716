import type { ActorKind, Address } from '../../runtime/actor.ts';
import {
  type AssignmentRow,
  type GenerationRow,
  generationKey,
  type PolicyTables,
} from '../policy/tables.ts';

/** Rows of a publish that are too many for one turn. Each batch replies when it is durable. */
export type WriterMessages = {
  write: { payload: PolicyRows; reply: undefined };
};

/** None of them counts before the current policy names the generation. */
export interface PolicyRows {
  readonly bundles: readonly (readonly [hexRoot: string, document: Uint8Array])[];
  readonly generations: readonly (readonly [generation: number, row: GenerationRow])[];
  readonly assignments: readonly (readonly [envoyId: string, row: AssignmentRow])[];
}

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
      write: (turn, { bundles, generations, assignments }) => {
        for (const [hex, document] of bundles) turn.put(tables.bundles, hex, document);
        for (const [generation, row] of generations) {
          turn.put(tables.generations, generationKey(generation), row);
        }
        for (const [envoyId, row] of assignments) turn.put(tables.assignments, envoyId, row);
        turn.replyAfter('durable');
        return undefined;
      },
    },
  };
}
