import { createHash } from 'node:crypto';
import { createPolicyView } from '../../../actors/envoy/policy-view.ts';
import { EnvoyRecord } from '../../../actors/envoy/record.ts';
import { policyTables } from '../../../actors/policy/tables.ts';
import { publishKind } from '../../../actors/publish/actor.ts';
import type { PublishSettings } from '../../../actors/publish/context.ts';
import {
  type PublishMessages,
  publishAddress,
  publishQueryAddress,
} from '../../../actors/publish/messages.ts';
import { publishWriterKind } from '../../../actors/publish/writer.ts';
import { rolloutKind } from '../../../actors/rollout/actor.ts';
import { type RolloutMessages, rolloutAddress } from '../../../actors/rollout/messages.ts';
import type { SinkMessages } from '../../../actors/sink/messages.ts';
import { standardLayout } from '../../../agent/policy/guardrails.ts';
import { decodeBundle } from '../../../agent/protocol/bundle-document.ts';
import type { Sha256 } from '../../../agent/protocol/crypto.ts';
import type { ActorKind } from '../../../runtime/actor.ts';
import { bytesCodec, msgpackCodec } from '../../../runtime/codecs.ts';
import { type Simulation, startSimulation } from '../../../runtime/simulate/simulation.ts';

export const tables = policyTables(msgpackCodec, bytesCodec);
export const crypto: Sha256 = {
  sha256Into: (output, input) => output.set(createHash('sha256').update(input).digest()),
};
const deadline = { deadlineMs: 600_000 };
export const intervalMs = 1000;

type Written = SinkMessages['write']['payload'];

/** The database as the publish actor sees it: what it was told, or that it is down. */
function sinkDouble(fleet: () => PublishFleet): ActorKind<undefined, SinkMessages> {
  const write: ActorKind<undefined, SinkMessages>['handlers']['write'] = (_turn, payload) => {
    if (fleet().sinkFails) throw new Error('the sink is down');
    fleet().written.push(payload as Written);
    return { auditSequence: fleet().written.length };
  };
  return {
    name: 'sink',
    placement: 'service',
    mailboxLimit: 100,
    idleAfterMs: 0,
    restart: { maxRestarts: 1000, withinMs: 1000 },
    activate: () => undefined,
    handlers: { write } as never,
  };
}

/** Gives a test a way to put identities into the service thread's store. */
type SeedMessages = {
  add: { payload: { envoyId: string; hostname: string; revoked: boolean }[]; reply: undefined };
};
const seedKind: ActorKind<undefined, SeedMessages> = {
  name: 'seed',
  placement: 'service',
  mailboxLimit: 10,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
  activate: () => undefined,
  handlers: {
    add: (turn, identities) => {
      for (const { envoyId, hostname, revoked } of identities) {
        const row = { hostname, publicKey: new Uint8Array(32), revoked, settledReportSequence: 0 };
        turn.put(tables.identities, envoyId, row);
      }
      turn.replyAfter('durable');
      return undefined;
    },
  },
};

const seedAddress = { kind: 'seed', key: 'main' } as const;

/** A publish actor, a rollout actor and envoys whose health the test decides, in the simulator. */
export class PublishFleet {
  simulation!: Simulation;
  readonly written: Written[] = [];
  readonly records = new Map<string, EnvoyRecord>();
  sinkFails = false;
  settings: PublishSettings;

  constructor(settings: Partial<PublishSettings>) {
    this.settings = {
      approvalRequired: false,
      candidateExpiryMs: 86_400_000,
      freezeWindows: [],
      rollout: {
        stages: [],
        observeMs: 0,
        threshold: 0.1,
        leastConverged: 0,
        onFailure: 'rollback',
      },
      ...settings,
    };
  }

  get nowMs(): number {
    return this.simulation.system.ports.clock.nowMs();
  }

  async stack(files: Record<string, string>): Promise<void> {
    await this.simulation.disk.remove('/home/stacks');
    for (const [path, text] of Object.entries(files)) {
      const content = new TextEncoder().encode(text);
      await this.simulation.disk.writeDurable(`/home/stacks/${path}`, content);
    }
  }

  add(envoyId: string, hostname: string, revoked = false): Promise<unknown> {
    return this.addAll([{ envoyId, hostname, revoked }]);
  }

  addAll(rows: SeedMessages['add']['payload']): Promise<unknown> {
    const { system } = this.simulation;
    return this.simulation.until(system.ask(seedAddress as never, 'add', rows as never, deadline));
  }

  async ask<T extends keyof PublishMessages & string>(
    type: T,
    payload: PublishMessages[T]['payload'],
    to = publishAddress(),
  ): Promise<PublishMessages[T]['reply']> {
    return await this.simulation.until(this.simulation.system.ask(to, type, payload, deadline));
  }

  query<T extends keyof PublishMessages & string>(
    type: T,
    payload: PublishMessages[T]['payload'],
  ): Promise<PublishMessages[T]['reply']> {
    return this.ask(type, payload, publishQueryAddress());
  }

  async rollout<T extends keyof RolloutMessages & string>(
    type: T,
    payload: RolloutMessages[T]['payload'],
  ): Promise<RolloutMessages[T]['reply']> {
    const asked = this.simulation.system.ask(rolloutAddress(), type, payload, deadline);
    return await this.simulation.until(asked);
  }

  publish(
    more: Partial<PublishMessages['publish']['payload']> = {},
  ): Promise<PublishMessages['publish']['reply']> {
    return this.ask('publish', { message: 'a change', by: 'admin:ann', ...more });
  }

  /** Power is lost some time into a publish; then the server starts again. */
  async crashWhilePublishing(afterMs: number): Promise<void> {
    const request = { message: 'cut short', by: 'admin:ann' };
    const asked = this.simulation.system.ask(publishAddress(), 'publish', request, deadline);
    asked.catch(() => undefined);
    await this.simulation.run(afterMs);
    await this.simulation.powerLoss();
    await this.ask('recover', {});
  }

  version(): number {
    return this.simulation.reader('service').get(tables.current, 'current')?.version ?? 0;
  }

  /** What a shard would answer this envoy. */
  root(envoyId: string): Uint8Array | undefined {
    const view = createPolicyView(
      this.simulation.reader('service'),
      tables,
      this.simulation.system.ports.clock,
    );
    return view.assigned(envoyId).root;
  }

  /** Names of the modules that an envoy enforces, or undefined when it has no bundle. */
  modules(envoyId: string): string[] | undefined {
    return this.#document(envoyId)?.modules.map(({ name }) => name);
  }

  /** Content of the first resource that an envoy enforces. */
  content(envoyId: string): unknown {
    return this.#document(envoyId)?.modules[0]?.resources[0]?.parameters.content;
  }

  /** The envoy checks in, having enforced what it was answered before; `state` is the outcome. */
  checkIn(envoyId: string, state: number): void {
    const record = this.records.get(envoyId)?.copy() ?? EnvoyRecord.empty();
    const root = this.root(envoyId);
    record.lastSeenMs = this.nowMs;
    record.state = state;
    if (root !== undefined) {
      record.setServedRoot(root);
      record.setAgentRoot(root);
    }
    this.records.set(envoyId, record);
  }

  /** Policy versions that envoys have told of. */
  readonly reported: number[] = [];

  /** As the database keeps them: an event that is sent again is the same one. */
  auditTypes(): string[] {
    const events = this.written.flatMap(({ audit }) => audit);
    return [...new Map(events.map(({ id, type }) => [id, type])).values()];
  }

  #document(envoyId: string) {
    const reader = this.simulation.reader('service');
    const root = this.root(envoyId);
    if (root === undefined) return undefined;
    const document = reader.get(tables.bundles, Buffer.from(root).toString('hex'));
    if (document === undefined) throw new Error(`the bundle of ${envoyId} is not there`);
    return decodeBundle(document);
  }
}

export async function publishFleet(settings: Partial<PublishSettings> = {}): Promise<PublishFleet> {
  const fleet = new PublishFleet(settings);
  const health = {
    tables,
    record: (envoyId: string) => fleet.records.get(envoyId),
    intervalMs,
  };
  const kinds = [
    publishKind({
      stackDirectory: '/home/stacks',
      liveDirectory: '/home/.live',
      crypto,
      layout: standardLayout,
      settings: fleet.settings,
      reportedVersion: async (most) => Math.max(0, ...fleet.reported.filter((n) => n <= most)),
      ...health,
    }),
    publishWriterKind(tables),
    rolloutKind(health),
    sinkDouble(() => fleet),
    seedKind,
  ];
  fleet.simulation = await startSimulation({
    seed: 1,
    shards: 0,
    serviceHosts: [{ name: 'service', kinds: kinds.map(({ name }) => name) }],
    kinds: kinds as never,
  });
  return fleet;
}

/** Gives another server the same `.live` directory. */
export async function copyLive(from: PublishFleet, to: PublishFleet): Promise<void> {
  const copy = async (path: string): Promise<void> => {
    const names = await from.simulation.disk.list(path);
    if (names.length === 0) {
      const content = await from.simulation.disk.read(path).catch(() => undefined);
      if (content !== undefined) await to.simulation.disk.writeDurable(path, content);
    }
    for (const name of names) await copy(`${path}/${name}`);
  };
  await copy('/home/.live');
}

export const one = {
  'modules/web.vgo': 'name: web\nresources:\n  - {type: file, target_path: /etc/web, content: a}\n',
  'site.vgo': 'envoys:\n  - {match: "web-*", modules: [web]}\n',
};

/** The stack with another content of its only file. */
export function withContent(content: string): Record<string, string> {
  return {
    ...one,
    'modules/web.vgo': one['modules/web.vgo'].replace('content: a', `content: ${content}`),
  };
}
