import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { AgentError } from '../../../agent/errors.ts';
import { createLogger } from '../../../agent/log.ts';
import { nodeVerifier } from '../../../agent/platform/crypto.ts';
import type {
  AgentUpdate,
  ReleaseManifest,
  SignedRelease,
  SignedUpdate,
} from '../../../agent/protocol/gen/vigo/v1/release.ts';
import { UpdatePhase } from '../../../agent/protocol/gen/vigo/v1/release.ts';
import type { BodyOf } from '../../../agent/protocol/methods.ts';
import { signRelease, signUpdate } from '../../../agent/protocol/release.ts';
import type { ServerClient } from '../../../agent/server-client.ts';
import { trialFiles, trialStartLimit } from '../../../agent/update/trial-script.ts';
import { Updater } from '../../../agent/update/updater.ts';
import { bundleSigner, fakeEnvoyId } from '../support/fake-server-channel.ts';
import { MemoryFiles } from '../support/memory-files.ts';
import { MemoryProgramFiles, Power, PowerLoss } from './memory-program-files.ts';

export const oldVersion = '0.1.0';
export const newVersion = '0.2.0';
const platform = 'linux-x64';
const partLength = 40;

/** What becomes of a version that is started. */
export type Behaviour = 'good' | 'no-start' | 'ends' | 'silent';

/** Simulated state files that lose power together with the rest of their machine. */
class PoweredFiles extends MemoryFiles {
  readonly #power: Power;
  constructor(power: Power) {
    super();
    this.#power = power;
  }
  override async replace(name: string, content: Uint8Array): Promise<void> {
    await this.#power.step(() => super.replace(name, content));
  }
}

export interface ReleaseChange {
  readonly manifest?: Partial<ReleaseManifest>;
  readonly signer?: typeof bundleSigner;
  readonly order?: Partial<NonNullable<SignedUpdate['order']>>;
}

export const program = new TextEncoder().encode('the new program '.repeat(20));
export const download = new Uint8Array(gzipSync(program));

function digest(data: Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest();
}

export function releaseManifest(change: Partial<ReleaseManifest> = {}): ReleaseManifest {
  return {
    version: newVersion,
    platform,
    size: program.length,
    sha256: digest(program),
    downloadSize: download.length,
    downloadSha256: digest(download),
    minimumAgent: '',
    downgradeFrom: [],
    createdAtMs: 5,
    releaseKeys: [],
    ...change,
  };
}

/**
 * A node with a disk, an init system and a server, in memory. The trial's script is played by its rules; that
 * the real script follows them is another test's matter.
 */
export class UpdateMachine {
  readonly power = new Power();
  readonly programs = new MemoryProgramFiles(this.power);
  readonly files = new PoweredFiles(this.power);
  readonly incidents: string[] = [];
  readonly told: AgentUpdate[] = [];
  behaviour: Behaviour = 'good';
  away = false;
  update: SignedUpdate | undefined;
  download = download;
  refuse: AgentError | undefined;
  nowMs = 1_000_000;
  trialsBegun = 0;
  fetched = 0;
  /** What runs now. */
  version = oldVersion;
  updater!: Updater;
  #watched = false;
  #waitedSeconds = 0;

  constructor() {
    this.programs.link = oldVersion;
    this.programs.content.set(`${oldVersion}/vigo`, new Uint8Array([1]));
    this.programs.runs = (path) => ({
      exitCode: 0,
      output: JSON.stringify({ version: path.split('/')[0] }),
    });
  }

  order(change: ReleaseChange = {}): void {
    const manifest = releaseManifest(change.manifest);
    const signed: SignedRelease = {
      manifest,
      signature: signRelease(manifest, change.signer ?? bundleSigner),
    };
    const order = {
      envoyId: fakeEnvoyId,
      version: manifest.version,
      issuedAtMs: 1,
      expiresAtMs: this.nowMs + 10_000_000,
      trialCheckIns: 2,
      trialSeconds: 60,
      ...change.order,
    };
    this.update = { order, signature: signUpdate(order, bundleSigner), releases: [signed] };
  }

  /** The init system starts the service; a power loss meanwhile starts the machine anew. */
  async boot(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error;
      await this.boot();
    }
  }

  /** One interval of whatever runs. */
  async cycle(): Promise<void> {
    try {
      await this.#cycle();
    } catch (error) {
      if (!(error instanceof PowerLoss)) throw error;
      await this.boot();
    }
  }

  async #start(): Promise<void> {
    const { link } = this.programs;
    this.#watched = false;
    if (link !== 'trial') return await this.#run(link ?? '');
    const { content } = this.programs;
    const versions = content.get(trialFiles.versions);
    const [from, to] = new TextDecoder().decode(versions).trim().split(' ') as [string, string];
    if (content.has(trialFiles.cause)) return await this.#run(from);
    if (content.has(trialFiles.accepted)) return await this.#run(to);
    const starts = (content.get('trial/starts')?.length ?? 0) + 1;
    this.power.step(() => content.set('trial/starts', new Uint8Array(starts)));
    this.trialsBegun += 1;
    if (starts > trialStartLimit) return await this.#giveUp('interrupted', from);
    if (this.behaviour === 'no-start') return await this.#giveUp('no-start 127', from);
    if (this.behaviour === 'ends') return await this.#giveUp('ended 1', from);
    this.#watched = true;
    this.#waitedSeconds = 0;
    await this.#run(to);
  }

  async #giveUp(cause: string, from: string): Promise<void> {
    this.#watched = false;
    const note = new TextEncoder().encode(`${cause}\n`);
    this.power.step(() => this.programs.content.set(trialFiles.cause, note));
    await this.#run(from);
  }

  async #run(version: string): Promise<void> {
    if (!this.programs.content.has(`${version}/vigo`)) throw new Error(`no version ${version}`);
    this.version = version;
    this.updater = await Updater.open({
      programs: this.programs,
      files: this.files,
      identity: {
        envoyId: fakeEnvoyId,
        bundlePublicKey: bundleSigner.publicKey,
        releasePublicKeys: [],
      },
      verifier: nodeVerifier(),
      client: { call: this.#call as ServerClient['call'] },
      incidents: { add: (error) => this.#incident(error) },
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      log: createLogger({
        level: 'trace',
        human: false,
        nowMs: () => this.nowMs,
        write: () => undefined,
      }),
      agentVersion: version,
      platform,
      selfCheckArguments: ['self-check'],
    });
  }

  #incident(error: unknown): void {
    if (error instanceof PowerLoss) throw error;
    this.incidents.push(error instanceof AgentError ? error.code : String(error));
  }

  async #cycle(): Promise<void> {
    this.nowMs += 70_000;
    const silent = this.version === newVersion && this.behaviour === 'silent';
    if (this.away || silent) await this.updater.unanswered();
    else {
      const news = this.updater.news();
      if (news !== undefined) this.#hear(news);
      const wanted = this.update?.order?.version !== this.version ? this.update : undefined;
      await this.updater.answered(wanted, news);
      if (await this.updater.work({} as never)) return await this.#start();
    }
    if (!this.#watched) return;
    if (this.programs.content.has(trialFiles.accepted)) {
      this.#watched = false;
      return;
    }
    this.#waitedSeconds += 20;
    if (this.#waitedSeconds < 60) return;
    const versions = this.programs.content.get(trialFiles.versions);
    const [from] = new TextDecoder().decode(versions).split(' ');
    await this.#giveUp('no-check-in 60 seconds', from ?? '');
  }

  /** As the server does: what is over is not ordered again. */
  #hear(news: AgentUpdate): void {
    this.told.push(news);
    const { phase } = news;
    if (phase === UpdatePhase.UPDATE_PHASE_FAILED || phase === UpdatePhase.UPDATE_PHASE_RETURNED)
      this.update = undefined;
  }

  readonly #call = async (name: string, body: unknown) => {
    if (name !== 'FetchRelease') throw new Error(name);
    if (this.away) throw new AgentError('AGENT_SERVER_UNREACHABLE');
    if (this.refuse !== undefined) throw this.refuse;
    const { offset } = body as BodyOf<'FetchRelease'>;
    const data = this.download.slice(offset, offset + partLength);
    this.fetched += data.length;
    return { protocolVersion: 1, data, traceparent: '' };
  };
}
