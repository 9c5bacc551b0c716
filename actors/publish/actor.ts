import { type GuardLayout, standardLayout } from '../../agent/policy/guardrails.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import type { Sha256 } from '../../agent/protocol/crypto.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import { codeOf, ServerError } from '../errors.ts';
import type { PolicyTables } from '../policy/tables.ts';
import { sinkAddress } from '../sink/messages.ts';
import { hashStack, LiveDirectory, type LiveVersion } from './live.ts';
import type { Diagnostic, PublishMessages, PublishResult, ValidationResult } from './messages.ts';
import { changedAssignments, hasErrors, type Policy, readPolicy } from './policy.ts';
import { writerAddress } from './writer.ts';

const mailboxLimit = 10_000;
const idleAfterMs = 3_600_000;
const sinkDeadlineMs = 30_000;
const writerDeadlineMs = 60_000;
/** Rows that the publishing turn itself commits; larger changes go through the writer in batches. */
export const turnRowLimit = 5000;
/** Diagnostics that an error carries; `validate` has them all. */
const carriedLimit = 200;

export interface PublishOptions {
  readonly stackDirectory: string;
  readonly liveDirectory: string;
  readonly tables: PolicyTables;
  readonly crypto: Sha256;
  /** What the guardrails protect; the standard places when absent. */
  readonly layout?: GuardLayout;
}

interface PublishState {
  /** The compiled live policy; undefined until it is needed or after a restart. */
  policy: Policy | undefined;
}

type PublishTurn = Turn<PublishState>;

/** The publish actor: validates, compiles and puts policy in force. One per server. */
export function publishKind(options: PublishOptions): ActorKind<PublishState, PublishMessages> {
  const publisher = new Publisher(options);
  return {
    name: 'publish',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({ policy: undefined }),
    handlers: {
      validate: (turn, { directory }) => publisher.validate(turn, directory),
      publish: (turn, request) => codedDisk(() => publisher.publish(turn, request)),
      assign: (turn, request) => codedDisk(() => publisher.assign(turn, request)),
      recover: (turn) => codedDisk(() => publisher.recover(turn)),
    },
  };
}

class Publisher {
  readonly #options: PublishOptions;

  constructor(options: PublishOptions) {
    this.#options = options;
  }

  async validate(turn: PublishTurn, directory: string | undefined): Promise<ValidationResult> {
    const policy = await this.#read(turn, directory ?? this.#options.stackDirectory);
    return policy.result;
  }

  async publish(
    turn: PublishTurn,
    request: PublishMessages['publish']['payload'],
  ): Promise<PublishResult> {
    const { tables, crypto } = this.#options;
    const policy = await this.#read(turn, request.directory ?? this.#options.stackDirectory);
    if (hasErrors(policy.result)) return this.#refuse(turn, policy.result, request.by);
    const live = this.#live(turn);
    const before = await live.currentIfWhole();
    const current = turn.store.get(tables.current, 'current')?.version ?? 0;
    const stackHash = hashStack(policy.files, crypto);
    const changes = await changedAssignments(policy, turn.store, tables, turn.ports);
    const shape = { totalEnvoys: changes.total, bundles: policy.bundles.size };
    if (before?.stackHash === stackHash && before.version === current) {
      return { ...policy.result, ...shape, version: current, changedEnvoys: 0, changed: false };
    }
    const version = await live.reserveVersion(Math.max(before?.version ?? 0, current));
    const next: LiveVersion = {
      version,
      publishedAtMs: turn.ports.clock.nowMs(),
      publishedBy: request.by,
      message: request.message,
      stackHash,
      bundleRoots: [...policy.bundles.keys()],
      previousRoots: before?.bundleRoots ?? [],
      ...(before === undefined ? {} : { previousStackHash: before.stackHash }),
    };
    await live.writeStack(stackHash, policy.files);
    await this.#record(turn, next, changes.changed.length);
    await live.commit(next);
    const oldest = before?.previousStackHash;
    if (oldest !== undefined && oldest !== before?.stackHash && oldest !== stackHash) {
      await live.forget(oldest);
    }
    await this.#enforce(turn, policy, next, changes.changed, before?.previousRoots ?? []);
    return {
      ...policy.result,
      ...shape,
      version,
      changedEnvoys: changes.changed.length,
      changed: true,
    };
  }

  async assign(
    turn: PublishTurn,
    { envoyId, hostname }: PublishMessages['assign']['payload'],
  ): Promise<{ bundleRoot: Uint8Array }> {
    const { tables } = this.#options;
    turn.state.policy ??= await this.#livePolicy(turn);
    const { policy } = turn.state;
    const bundleRoot = policy.rootFor(hostname);
    const hex = toHex(bundleRoot);
    if (turn.store.get(tables.bundles, hex) === undefined) {
      turn.put(tables.bundles, hex, policy.bundles.get(hex)!);
    }
    turn.put(tables.assignments, envoyId, bundleRoot);
    turn.replyAfter('durable');
    return { bundleRoot };
  }

  async recover(turn: PublishTurn): Promise<{ version: number; rebuilt: boolean }> {
    const { tables } = this.#options;
    const live = await this.#live(turn).current();
    if (live === undefined) return { version: 0, rebuilt: false };
    const current = turn.store.get(tables.current, 'current');
    if (current?.version === live.version) return { version: live.version, rebuilt: false };
    const policy = await this.#livePolicy(turn);
    const { changed } = await changedAssignments(policy, turn.store, tables, turn.ports);
    await this.#enforce(turn, policy, live, changed, []);
    return { version: live.version, rebuilt: true };
  }

  /** Stages bundles and assignments, then the version that makes them count. */
  async #enforce(
    turn: PublishTurn,
    policy: Policy,
    live: LiveVersion,
    changed: readonly { envoyId: string; root: Uint8Array }[],
    outdatedRoots: readonly string[],
  ): Promise<void> {
    const { tables } = this.#options;
    const fresh = [...policy.bundles].filter(
      ([hex]) => turn.store.get(tables.bundles, hex) === undefined,
    );
    if (fresh.length + changed.length > turnRowLimit) {
      // Documents first: an assignment must never name one that is not there.
      await this.#writeBatches(turn, fresh, (rows) => ({ bundles: rows, assignments: [] }));
      const rows = changed.map(({ envoyId, root }) => [envoyId, root] as const);
      await this.#writeBatches(turn, rows, (part) => ({ bundles: [], assignments: part }));
    } else {
      for (const [hex, document] of fresh) turn.put(tables.bundles, hex, document);
      for (const { envoyId, root } of changed) turn.put(tables.assignments, envoyId, root);
    }
    const kept = new Set([...live.bundleRoots, ...live.previousRoots]);
    const outdated = outdatedRoots.filter((hex) => !kept.has(hex));
    for (const hex of outdated.slice(0, turnRowLimit - 1)) turn.remove(tables.bundles, hex);
    turn.put(tables.current, 'current', {
      version: live.version,
      publishedAtMs: live.publishedAtMs,
    });
    turn.state.policy = policy;
    turn.replyAfter('durable');
  }

  async #writeBatches<T>(
    turn: PublishTurn,
    rows: readonly T[],
    payload: (rows: T[]) => {
      bundles: (readonly [string, Uint8Array])[];
      assignments: (readonly [string, Uint8Array])[];
    },
  ): Promise<void> {
    for (let start = 0; start < rows.length; start += turnRowLimit) {
      const part = payload(rows.slice(start, start + turnRowLimit));
      await turn.ask(writerAddress(), 'write', part, writerDeadlineMs);
    }
  }

  async #record(turn: PublishTurn, next: LiveVersion, changedEnvoys: number): Promise<void> {
    const { previousRoots: _, previousStackHash: __, ...published } = next;
    const record = { record: 'policyVersion', ...published, changedEnvoys } as const;
    const details = {
      version: next.version,
      stackHash: next.stackHash,
      message: next.message,
      changedEnvoys,
    };
    const event = auditEvent(turn, 'policy.published', next.publishedBy, details);
    await turn.ask(sinkAddress(), 'write', { records: [record], audit: [event] }, sinkDeadlineMs);
  }

  async #refuse(turn: PublishTurn, result: ValidationResult, by: string): Promise<never> {
    const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
    const first = describe(errors[0]!);
    const details = { errors: errors.length, first };
    const audit = [auditEvent(turn, 'policy.refused', by, details)];
    await turn.ask(sinkAddress(), 'write', { records: [], audit }, sinkDeadlineMs);
    const diagnostics = JSON.stringify(result.diagnostics.slice(0, carriedLimit));
    throw new ServerError('PUBLISH_INVALID', { ...details, diagnostics });
  }

  /** What is in force: the live copy, or the empty policy before the first publish. */
  async #livePolicy(turn: PublishTurn): Promise<Policy> {
    const live = this.#live(turn);
    const current = await live.current();
    const policy = await this.#read(turn, live.stackDirectory(current?.stackHash ?? 'none'));
    if (
      current === undefined ||
      hashStack(policy.files, this.#options.crypto) === current.stackHash
    )
      return policy;
    throw new ServerError('PUBLISH_LIVE_DAMAGED', { reason: 'its files are not those published' });
  }

  #read(turn: PublishTurn, directory: string): Promise<Policy> {
    const { crypto, layout } = this.#options;
    return readPolicy(directory, turn.ports, crypto, layout ?? standardLayout);
  }

  #live(turn: PublishTurn): LiveDirectory {
    return new LiveDirectory(turn.ports.disk, this.#options.liveDirectory);
  }
}

function auditEvent(
  turn: PublishTurn,
  type: string,
  by: string,
  details: AuditEvent['details'],
): AuditEvent {
  return {
    id: toHex(turn.ports.random.bytes(16)),
    atMs: turn.ports.clock.nowMs(),
    type,
    actor: by,
    subject: 'policy',
    details,
    ...(turn.traceparent === undefined ? {} : { traceparent: turn.traceparent }),
  };
}

function describe({ file, line, column, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message}`;
}

/** Errors of the disk port are the operating system's; they get a code of ours. */
async function codedDisk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error) || 'remedy' in error) throw error;
    if (!/^E[A-Z]+/.test(codeOf(error) || error.message)) throw error;
    throw new ServerError('PUBLISH_DISK', { reason: error.message }, { cause: error });
  }
}
