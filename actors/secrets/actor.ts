import { pathFault } from '../../agent/policy/secret-references.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import type { ActorKind, CodedError, Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { codedDisk } from '../coded-disk.ts';
import { ServerError } from '../errors.ts';
import { sinkAddress } from '../sink/messages.ts';
import { SecretEpochs } from './epochs.ts';
import type { SecretMessages } from './messages.ts';
import { type SecretProvider, secretValueLimit } from './provider.ts';
import type { SecretReader } from './reader.ts';
import { currentEpochKey, type SecretEpochTable } from './tables.ts';

const mailboxLimit = 200;
const idleAfterMs = 3_600_000;
const sinkDeadlineMs = 10_000;

export interface SecretsDependencies {
  readonly provider: SecretProvider;
  readonly reader: SecretReader;
  readonly epochFile: string;
  readonly table: SecretEpochTable;
}

interface SecretsState {
  readonly epochs: SecretEpochs;
}

type SecretsTurn = Turn<SecretsState>;

/** Every change of a secret passes here: audited, epoch raised, users told. */
export function secretsKind(
  dependencies: SecretsDependencies,
): ActorKind<SecretsState, SecretMessages> {
  const secrets = new Secrets(dependencies);
  return {
    name: 'secrets',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: async ({ ports }) => {
      const { epochFile } = dependencies;
      return { epochs: await SecretEpochs.open(ports.disk, epochFile, ports.clock.nowMs()) };
    },
    handlers: {
      initialise: (turn, { by }) => onDisk(() => secrets.initialise(turn, by)),
      set: (turn, { path, value, by }) =>
        onDisk(() => secrets.set(turn, path, value, by, 'secret.set')),
      rotate: (turn, { path, bytes, by }) => onDisk(() => secrets.rotate(turn, path, bytes, by)),
      refresh: (turn, { paths, by }) => onDisk(() => secrets.refresh(turn, paths, by)),
      list: () => dependencies.provider.list(),
      reveal: (turn, { path, by }) => secrets.reveal(turn, path, by),
      rekey: (turn, { by }) => onDisk(() => secrets.rekey(turn, by)),
      recover: (turn) => secrets.recover(turn),
    },
  };
}

function onDisk<T>(run: () => Promise<T>): Promise<T> {
  return codedDisk('SECRETS_DISK', run);
}

class Secrets {
  readonly #dependencies: SecretsDependencies;

  constructor(dependencies: SecretsDependencies) {
    this.#dependencies = dependencies;
  }

  async initialise(turn: SecretsTurn, by: string): Promise<undefined> {
    await this.#dependencies.provider.initialise();
    await audit(turn, 'secret.store_initialised', by, 'secrets');
    return undefined;
  }

  async set(
    turn: SecretsTurn,
    path: string,
    value: string,
    by: string,
    type: AuditEventTypeName,
  ): Promise<{ version: number; epoch: number }> {
    const { provider, reader } = this.#dependencies;
    checkPath(path);
    checkValue(value);
    const version = await provider.write(path, value, by);
    reader.forget();
    const epoch = await this.#raise(turn, [path]);
    await audit(turn, type, by, path, { version, epoch });
    return { version, epoch };
  }

  async rotate(
    turn: SecretsTurn,
    path: string,
    bytes: number,
    by: string,
  ): Promise<{ version: number; epoch: number }> {
    checkPath(path);
    if (!(await this.#dependencies.provider.exists(path)))
      throw new ServerError('SECRETS_MISSING', { path });
    const value = Buffer.from(turn.ports.random.bytes(bytes)).toString('base64url');
    return await this.set(turn, path, value, by, 'secret.rotated');
  }

  async refresh(
    turn: SecretsTurn,
    paths: readonly string[],
    by: string,
  ): Promise<{ epoch: number }> {
    for (const path of paths) checkPath(path);
    this.#dependencies.reader.forget();
    const epoch = await this.#raise(turn, paths);
    for (const path of paths) await audit(turn, 'secret.refreshed', by, path, { epoch });
    return { epoch };
  }

  async reveal(turn: SecretsTurn, path: string, by: string): Promise<{ value: string }> {
    checkPath(path);
    const value = await this.#dependencies.provider.read(path);
    if (value === undefined) throw new ServerError('SECRETS_MISSING', { path });
    await audit(turn, 'secret.revealed', by, path);
    return { value };
  }

  async rekey(turn: SecretsTurn, by: string): Promise<{ secrets: number }> {
    const secrets = await this.#dependencies.provider.rekey();
    await audit(turn, 'secret.store_rekeyed', by, 'secrets', { secrets });
    return { secrets };
  }

  recover(turn: SecretsTurn): undefined {
    const { table } = this.#dependencies;
    const { epochs } = turn.state;
    const known = turn.store.get(table, currentEpochKey)?.epoch ?? 0;
    if (known === epochs.current) return undefined;
    for (const [path, epoch] of epochs.entries()) turn.put(table, path, { epoch });
    turn.put(table, currentEpochKey, { epoch: epochs.current });
    return undefined;
  }

  /** First durable beside the secrets, then visible to the shards. */
  async #raise(turn: SecretsTurn, paths: readonly string[]): Promise<number> {
    const { table } = this.#dependencies;
    const epoch = await turn.state.epochs.raise(paths, turn.ports.clock.nowMs());
    for (const path of paths) turn.put(table, path, { epoch });
    turn.put(table, currentEpochKey, { epoch });
    return epoch;
  }
}

function checkPath(path: string): void {
  const reason = pathFault(path);
  if (reason !== undefined) throw new ServerError('SECRETS_BAD_PATH', { path, reason });
}

function checkValue(value: string): void {
  const reason =
    value === ''
      ? 'it is empty'
      : Buffer.byteLength(value) > secretValueLimit
        ? `it has more than ${secretValueLimit} bytes`
        : value.includes('\0')
          ? 'it holds a NUL character'
          : Buffer.from(value).toString() !== value
            ? 'it is no valid text'
            : undefined;
  if (reason !== undefined) throw new ServerError('SECRETS_BAD_VALUE', { reason });
}

async function audit(
  turn: SecretsTurn,
  type: AuditEventTypeName,
  by: string,
  path: string,
  details: AuditEvent['details'] = {},
): Promise<void> {
  const event: AuditEvent = {
    id: toHex(turn.ports.random.bytes(16)),
    atMs: turn.ports.clock.nowMs(),
    type,
    actor: by,
    subject: path,
    details,
    ...(turn.traceparent === undefined ? {} : { traceparent: turn.traceparent }),
  };
  try {
    await turn.ask(sinkAddress(), 'write', { records: [], audit: [event] }, sinkDeadlineMs);
  } catch (error) {
    // What was changed stays changed, so what is staged must reach the shards all the same.
    if (isCoded(error)) turn.refuse(error);
    throw error;
  }
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && 'code' in error && 'remedy' in error;
}
