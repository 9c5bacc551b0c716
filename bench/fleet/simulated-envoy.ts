import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ConvergenceState, ResourceAction } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { envelope, methods } from '../../agent/protocol/methods.ts';
import { RequestSigner } from '../../agent/protocol/request.ts';
import { uuidToBytes } from '../../agent/protocol/uuid.ts';
import { CallError, Channel } from './channel.ts';
import { type Identity, seedOf } from './identities.ts';
import { signerOf } from './signing.ts';

const agentVersion = 'vigobench';
const reportResults = 3;

/** What a simulated envoy tells its worker. */
export interface EnvoyListener {
  checkedIn(latencyUs: number): void;
  reported(latencyUs: number): void;
  missed(): void;
  failed(code: string): void;
}

/**
 * One envoy as the server sees it: own key, certificate, TLS connection and signatures. Its policy is
 * taken and not enforced. It follows the due times that the server gives.
 */
export class SimulatedEnvoy {
  readonly #identity: Identity;
  readonly #envoyId: Uint8Array;
  readonly #signer: RequestSigner;
  readonly #target: { host: string; port: number; caPem: string };
  readonly #listener: EnvoyListener;
  #channel: Channel | undefined;
  #sequence = Date.now() * 1000;
  #policyVersion = 0;
  #bundleRoot: Uint8Array = new Uint8Array();
  #expiresAtMs = 0;
  #reportSequence = 0;
  #traitsHash: Uint8Array = new Uint8Array(16).fill(1);

  constructor(
    identity: Identity,
    target: { host: string; port: number; caPem: string },
    listener: EnvoyListener,
  ) {
    this.#identity = identity;
    this.#envoyId = envoyIdBytes(identity);
    this.#signer = new RequestSigner(signerOf(seedOf(identity.keyPem)));
    this.#target = target;
    this.#listener = listener;
  }

  async connect(): Promise<void> {
    const context = createSecureContext({
      ca: this.#target.caPem,
      cert: this.#identity.certificatePem,
      key: this.#identity.keyPem,
    });
    this.#channel = await Channel.open({ ...this.#target, context });
  }

  /** Returns when the next one is due, milliseconds from now. */
  async checkIn(changed: boolean): Promise<number> {
    const started = performance.now();
    const answer = methods.CheckIn.response.decode(
      await this.#call('CheckIn', methods.CheckIn.body.encode(this.#checkInBody()).finish()),
    );
    this.#listener.checkedIn((performance.now() - started) * 1000);
    const manifest = answer.bundle?.manifest;
    if (manifest) {
      this.#policyVersion = manifest.policyVersion;
      this.#bundleRoot = manifest.bundleRoot;
      this.#expiresAtMs = manifest.expiresAtMs;
    }
    this.#reportSequence = Math.max(this.#reportSequence, answer.settledReportSequence);
    if (changed) await this.#report();
    return answer.nextCheckInMs;
  }

  close(): void {
    this.#channel?.close();
  }

  #checkInBody() {
    return {
      policyVersion: this.#policyVersion,
      bundleRoot: this.#bundleRoot,
      traitsHash: this.#traitsHash,
      state: ConvergenceState.CONVERGENCE_STATE_CONVERGED,
      reportSequence: this.#reportSequence,
      agentVersion,
      bundleExpiresAtMs: this.#expiresAtMs,
      oldestReportSequence: this.#reportSequence + 1,
    };
  }

  async #report(): Promise<void> {
    const started = performance.now();
    const body = methods.Report.body.encode({
      reportSequence: this.#reportSequence + 1,
      runId: randomBytes(16),
      policyVersion: this.#policyVersion,
      bundleRoot: this.#bundleRoot,
      startedAtMs: Date.now(),
      durationMs: 25,
      state: ConvergenceState.CONVERGENCE_STATE_CHANGED,
      dryRun: false,
      policyChanged: false,
      summary: {
        total: 100,
        unchanged: 100 - reportResults,
        created: 0,
        updated: reportResults,
        deleted: 0,
        skipped: 0,
        blocked: 0,
        failed: 0,
      },
      results: Array.from({ length: reportResults }, (_, at) => ({
        id: `bench/file-${at}`,
        type: 'file',
        action: ResourceAction.RESOURCE_ACTION_UPDATED,
        reason: 'content differed',
        diff: '-worker_connections 512;\n+worker_connections 1024;\n',
        errorCode: '',
        durationMs: 3,
      })),
      offline: false,
      incidents: [],
    });
    const bytes = await this.#call('Report', body.finish());
    const answer = methods.Report.response.decode(bytes);
    this.#reportSequence = answer.durableReportSequence;
    this.#listener.reported((performance.now() - started) * 1000);
  }

  async #call(method: 'CheckIn' | 'Report', body: Uint8Array): Promise<Uint8Array> {
    if (!this.#channel || this.#channel.closed) await this.connect();
    const channel = this.#channel;
    if (!channel) throw new CallError('CONNECT', 'not connected');
    this.#sequence += 1;
    const header = {
      envoyId: this.#envoyId,
      timestampMs: Date.now(),
      sequence: this.#sequence,
      traceparent: '',
    };
    const request = this.#signer.sign(method, header, body);
    return channel.call(methods[method].path, envelope.encode(request).finish());
  }
}

function envoyIdBytes(identity: Identity): Uint8Array {
  const bytes = uuidToBytes(identity.envoyId);
  if (bytes) return bytes;
  throw new CallError('IDENTITY', `${identity.envoyId} is not a UUID`);
}
