import { generateKeyPairSync } from 'node:crypto';
import { enrollmentKind } from '../../../actors/enrollment/actor.ts';
import { FailureLimit } from '../../../actors/enrollment/failure-limit.ts';
import { bcryptSecrets } from '../../../actors/enrollment/secret-hash.ts';
import { policyTables } from '../../../actors/policy/tables.ts';
import type { PublishMessages } from '../../../actors/publish/messages.ts';
import {
  type CertificateAuthority,
  createAuthorityCertificate,
  dayMs,
  openCertificateAuthority,
} from '../../../actors/server/certificate-authority.ts';
import { sinkKind } from '../../../actors/sink/actor.ts';
import type { SinkWriter } from '../../../actors/sink/writer.ts';
import type { ActorKind } from '../../../runtime/actor.ts';
import { bytesCodec, msgpackCodec } from '../../../runtime/codecs.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import type { StoreReader } from '../../../runtime/store.ts';
import { ThreadSystem } from '../../../runtime/system.ts';
import { testEnvironment } from './environment.ts';
import { testSink } from './sink.ts';

export const tables = policyTables(msgpackCodec, bytesCodec);

export async function testAuthority(): Promise<CertificateAuthority> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificatePem = await createAuthorityCertificate(keyPem, testEnvironment());
  return await openCertificateAuthority({ certificatePem, keyPem }, testEnvironment());
}

export interface ServiceSystem {
  readonly system: ThreadSystem;
  readonly writer: SinkWriter;
  readonly file: string;
  readonly authority: CertificateAuthority;
  readonly store: StoreReader;
  /** Hostnames that publishing was asked to assign. */
  readonly assigned: string[];
  /** Envoys that were told of their revocation. */
  readonly revoked: string[];
  /** Moves the wall clock. */
  advance(milliseconds: number): void;
}

/** The service thread's actors around a real database, without threads. */
export async function serviceSystem(
  t: { teardown(run: () => void): void },
  failuresPerMinute = 1000,
): Promise<ServiceSystem> {
  const { writer, file } = testSink(t);
  const authority = await testAuthority();
  const real = nodePorts();
  let offsetMs = 0;
  const ports = { ...real, clock: { ...real.clock, nowMs: () => real.clock.nowMs() + offsetMs } };
  const { store } = openSimulatedStore({ disk: new SimulatedStoreDisk(), ports: real });
  const assigned: string[] = [];
  const revoked: string[] = [];
  const enrollment = enrollmentKind({
    authority,
    identities: tables.identities,
    secrets: bcryptSecrets(4),
    failures: new FailureLimit(failuresPerMinute),
    certificateValidityMs: 90 * dayMs,
    envoyLimit: 1000,
  });
  const sink = sinkKind({
    writer,
    outbox: () => undefined,
    trim: () => undefined,
    wake: () => undefined,
    log: () => undefined,
  });
  const system = new ThreadSystem({
    thread: 'service',
    topology: { threads: [{ name: 'service', role: 'service' }], services: {} },
    kinds: [sink, enrollment, publishDouble(assigned), envoyDouble(revoked)],
    ports,
    store,
  });
  system.start();
  t.teardown(() => system.crash());
  const advance = (milliseconds: number): void => {
    offsetMs += milliseconds;
  };
  return { system, writer, file, authority, store, assigned, revoked, advance };
}

const limits = {
  placement: 'service',
  mailboxLimit: 100,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
} as const;

/** Stands in for publishing, which is not what these tests are about. */
function publishDouble(assigned: string[]): ActorKind<undefined, Pick<PublishMessages, 'assign'>> {
  return {
    ...limits,
    name: 'publish',
    activate: () => undefined,
    handlers: {
      assign: (_turn, { hostname }) => {
        assigned.push(hostname);
        return { bundleRoot: new Uint8Array(32) };
      },
    },
  };
}

function envoyDouble(
  revoked: string[],
): ActorKind<undefined, { revoked: { payload: { reason: string }; reply: undefined } }> {
  return {
    ...limits,
    name: 'envoy',
    activate: () => undefined,
    handlers: {
      revoked: (turn) => {
        revoked.push(turn.key);
        return undefined;
      },
    },
  };
}
