import type { Engine, PassOptions } from '../../../agent/converge/engine.ts';
import { type PassResult, passState, summarize } from '../../../agent/converge/result.ts';
import { Daemon } from '../../../agent/daemon.ts';
import { IncidentLog } from '../../../agent/incident-log.ts';
import { createLogger } from '../../../agent/log.ts';
import { Memory } from '../../../agent/memory.ts';
import { NodeAgent } from '../../../agent/node-agent.ts';
import { BundleCache } from '../../../agent/offline/bundle-cache.ts';
import { ResourceHistory } from '../../../agent/offline/history.ts';
import { ReportQueue } from '../../../agent/offline/report-queue.ts';
import { RequestSequence } from '../../../agent/offline/sequence.ts';
import { nodeVerifier } from '../../../agent/platform/crypto.ts';
import { agreementKey, nodeHpke } from '../../../agent/platform/hpke-primitives.ts';
import { PolicyHolder } from '../../../agent/policy-holder.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { Rehearser } from '../../../agent/rehearser.ts';
import { Reporter } from '../../../agent/reporter.ts';
import { SecretKeeper } from '../../../agent/secrets/secret-keeper.ts';
import { ServerClient } from '../../../agent/server-client.ts';
import { ToldTraits } from '../../../agent/traits/told-traits.ts';
import type { Channel } from '../../../agent/transport.ts';
import { Witness } from '../../../agent/witness/witness.ts';
import { module } from '../../support/resource-bundle.ts';
import {
  bundleSigner,
  envoyKeyPem,
  envoySigner,
  FakeServerChannel,
  fakeEnvoyId,
} from './fake-server-channel.ts';
import { MemoryFiles } from './memory-files.ts';

/** A document of one resource, "main/it", told apart by `text`. */
export function policyDocument(text = ''): BundleDocument {
  return {
    format: 1,
    modules: [module('main', [{ type: 'file', parameters: { text } }])],
    templates: {},
  };
}

type Outcome = Pick<PassResult['resources'][number], 'id' | 'action' | 'errorCode'>;

/** An agent whose time, disk, server and engine a test rules. Everything between them is real. */
export class AgentFixture {
  readonly files = new MemoryFiles();
  readonly server: FakeServerChannel;
  readonly lines: string[] = [];
  readonly passes: PassOptions[] = [];
  outcomes: Outcome[] = [{ id: 'main/it', action: 'none', errorCode: '' }];
  nowMs = 1_790_000_000_000;
  /** Pace of the daemon until the server names one. */
  intervalMs = 10_000;
  /** How far the wall clock of the machine is off; what runs on without it is not. */
  clockErrorMs = 0;
  /** Slept through: the wall clock went on, what counts running time did not. */
  suspendedMs = 0;
  /** In place of the fake server, and of the fake engine. */
  channel: Channel | undefined;
  engine: Engine | undefined;
  /** Ends the daemon after so many sleeps. */
  readonly stop = new AbortController();
  onSleep: (delayMs: number) => void = () => undefined;
  agent!: NodeAgent;
  daemon!: Daemon;

  constructor() {
    this.server = new FakeServerChannel(() => this.nowMs);
  }

  static async start(options: { dryRun?: boolean } = {}): Promise<AgentFixture> {
    const fixture = new AgentFixture();
    await fixture.restart(options);
    return fixture;
  }

  /** What a new process would do on the same disk. */
  async restart(options: { dryRun?: boolean } = {}): Promise<void> {
    const nowMs = (): number => this.nowMs + this.clockErrorMs;
    const clock = {
      nowMs,
      monotonicMs: () => this.nowMs - this.suspendedMs,
      sleep: async (delayMs: number) => {
        this.nowMs += Math.max(1, delayMs);
        this.onSleep(delayMs);
      },
    };
    const log = createLogger({
      level: 'trace',
      human: false,
      nowMs,
      write: (line) => this.lines.push(line),
    });
    const { files } = this;
    const incidents = new IncidentLog(log, nowMs);
    const memory = await Memory.open(files, incidents, nowMs);
    const queue = await ReportQueue.open(files, nowMs);
    const client = new ServerClient({
      channel: this.channel ?? this.server,
      envoyId: fakeEnvoyId,
      signer: envoySigner,
      sequence: await RequestSequence.open(files, nowMs),
      clock,
    });
    const verifier = nodeVerifier();
    const identity = { envoyId: fakeEnvoyId, bundlePublicKey: bundleSigner.publicKey };
    const cache = new BundleCache(files, verifier);
    const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
    const reporter = new Reporter({ queue, client, memory, incidents, log, nowMs });
    const engine = this.engine ?? this.#engine();
    this.agent = new NodeAgent({
      platform: { clock, host: { randomBytes: random } },
      client,
      policy: new PolicyHolder({ cache, identity, memory, incidents, nowMs }),
      queue,
      reporter,
      memory,
      history: new ResourceHistory(files),
      incidents,
      engine,
      secrets: new SecretKeeper({
        client,
        envoyId: fakeEnvoyId,
        hpke: nodeHpke,
        agreementKey: () => agreementKey(envoyKeyPem),
        incidents,
      }),
      rehearser: new Rehearser({ identity, verifier, engine, reporter, incidents, log, nowMs }),
      witness: await Witness.open({
        ...{ files, verifier, incidents, log, nowMs },
        signer: envoySigner,
        bundlePublicKey: bundleSigner.publicKey,
      }),
      collectTraits: async () => ({ os: { family: 'debian' } }),
      told: new ToldTraits({
        files,
        hash: verifier,
        nowMs,
        isNews: (_, told, now) => JSON.stringify(told) !== JSON.stringify(now),
        random: () => 0.5,
        onError: () => undefined,
      }),
      log,
      agentVersion: '0.1.0',
      dryRun: options.dryRun ?? false,
    });
    this.daemon = new Daemon({
      agent: this.agent,
      clock,
      log,
      random: () => 0.5,
      intervalMs: this.intervalMs,
    });
  }

  /** Check in, converge, report: once. */
  async cycle(): Promise<void> {
    await this.daemon.cycle(new AbortController().signal);
  }

  /** Later, when everything is due again. */
  async later(milliseconds = 1_000_000): Promise<void> {
    this.nowMs += milliseconds;
    await this.cycle();
  }

  #engine(): Engine {
    return {
      pass: async (options) => {
        this.passes.push(options);
        const resources = this.outcomes.map((outcome) => ({
          ...outcome,
          type: 'file',
          reason: 'as told',
          diff: '',
          durationMs: 1,
        }));
        const summary = summarize(resources);
        return {
          dryRun: options.dryRun ?? false,
          state: passState(summary),
          summary,
          resources,
          pendingTriggers: [],
          aborted: false,
          startedAtMs: this.nowMs,
          durationMs: 1,
        };
      },
    };
  }
}
