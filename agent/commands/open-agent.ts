import { type Identity, loadIdentity } from '../identity/identity.ts';
import { IncidentLog } from '../incident-log.ts';
import type { LiveFacts, LiveSchedule } from '../live-facts.ts';
import type { Logger } from '../log.ts';
import { Memory } from '../memory.ts';
import { NodeAgent, type Traits } from '../node-agent.ts';
import { BundleCache, bundleFileName } from '../offline/bundle-cache.ts';
import { historyFileName, ResourceHistory } from '../offline/history.ts';
import { ReportQueue, reportsFileName } from '../offline/report-queue.ts';
import { forgetOtherEnvoy } from '../offline/run-state.ts';
import { RequestSequence } from '../offline/sequence.ts';
import type { AgentClock } from '../platform/platform.ts';
import { PolicyHolder } from '../policy-holder.ts';
import { uuidToText } from '../protocol/uuid.ts';
import { Rehearser } from '../rehearser.ts';
import { Reporter } from '../reporter.ts';
import { SecretKeeper } from '../secrets/secret-keeper.ts';
import { ServerClient } from '../server-client.ts';
import type { TraitCollection } from '../traits/collect.ts';
import { ToldTraits, toldTraitsFileName } from '../traits/told-traits.ts';
import { updateFileName } from '../update/update-state.ts';
import { Updater } from '../update/updater.ts';
import { agentVersion } from '../version.ts';
import { Witness } from '../witness/witness.ts';
import { witnessFileName } from '../witness/witness-state.ts';
import { type CommandContext, identityDirectory, traitFacts } from './context.ts';
import type { Settings } from './settings.ts';

export interface OpenAgent {
  readonly agent: NodeAgent;
  /** The pace that the server gave at registration, or the operator's. */
  readonly intervalMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly close: () => void;
  readonly clock: AgentClock;
  /** From now on `vigo status` is answered; without a schedule as a single run. */
  readonly tell: (schedule?: () => LiveSchedule) => void;
}

const defaultIntervalMs = 60_000;

/**
 * Puts an agent together from what is on disk and takes its lock; with `updates` it looks after its own
 * version. Throws what identities do.
 */
export async function openAgent(context: CommandContext, updates = false): Promise<OpenAgent> {
  const { settings, parts } = context;
  const { clock, host } = parts;
  const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  const live: { facts?: () => LiveFacts } = {};
  const release = await parts.lock(settings.stateDirectory, () => live.facts?.() ?? {});
  const ground = await openGround(context, identity);
  const agent = await assemble(context, ground, updates);
  const startedMs = clock.monotonicMs();
  return {
    agent,
    tell: (schedule) => {
      live.facts = () => ({
        version: agentVersion,
        envoyId: uuidToText(identity.envoyId),
        server: settings.server ?? identity.server,
        uptimeMs: Math.round(clock.monotonicMs() - startedMs),
        ...agent.facts(),
        ...schedule?.(),
      });
    },
    intervalMs: settings.intervalMs ?? (identity.intervalMs || defaultIntervalMs),
    random: () => randomUnit(host.randomBytes(4)),
    clock,
    close: () => {
      ground.client.close();
      release();
    },
  };
}

/** What the parts of an agent stand on. */
type Ground = Awaited<ReturnType<typeof openGround>>;

async function openGround({ settings, parts, log }: CommandContext, identity: Identity) {
  const { clock } = parts;
  const nowMs = (): number => clock.nowMs();
  const files = parts.openFiles(settings.stateDirectory);
  await forgetOtherEnvoy(files, uuidToText(identity.envoyId), [
    bundleFileName,
    reportsFileName,
    toldTraitsFileName,
    historyFileName,
    updateFileName,
    witnessFileName,
  ]);
  const incidents = new IncidentLog(log, nowMs);
  const signer = parts.identityCrypto.signer(identity.keyPem);
  const server = settings.server ?? identity.server;
  const client = new ServerClient({
    channel: parts.openMutual(server, identity),
    envoyId: identity.envoyId,
    signer,
    sequence: await RequestSequence.open(files, nowMs),
    clock,
  });
  const memory = await Memory.open(files, incidents, nowMs);
  const queue = await ReportQueue.open(files, nowMs);
  const verifier = parts.verifier();
  return {
    identity,
    server,
    files,
    incidents,
    memory,
    queue,
    verifier,
    signer,
    client,
    log,
    nowMs,
  };
}

async function assemble(
  { settings, parts, log }: CommandContext,
  ground: Ground,
  updates: boolean,
): Promise<NodeAgent> {
  const { identity, server, files, verifier, client } = ground;
  const { host, clock } = parts;
  const platform = parts.platform(settings);
  const reporter = new Reporter(ground);
  const engine = parts.engine({ ...settings, server }, platform);
  const traits = parts.openTraits(platform, traitFacts(settings, uuidToText(identity.envoyId)));
  const openUpdater = () =>
    Updater.open({
      ...ground,
      programs: parts.programs(settings),
      clock,
      agentVersion,
      platform: `${host.operatingSystem}-${host.architecture}`,
      selfCheckArguments: selfCheckArguments(settings),
    });
  return new NodeAgent({
    ...ground,
    platform,
    policy: new PolicyHolder({ ...ground, cache: new BundleCache(files, verifier) }),
    reporter,
    history: new ResourceHistory(files),
    engine,
    secrets: new SecretKeeper({
      client,
      envoyId: identity.envoyId,
      hpke: parts.identityCrypto.hpke,
      agreementKey: () => parts.identityCrypto.agreementKey(identity.keyPem),
      incidents: ground.incidents,
    }),
    rehearser: new Rehearser({ ...ground, engine, reporter }),
    witness: await Witness.open({ ...ground, bundlePublicKey: identity.bundlePublicKey }),
    collectTraits: collecting(traits, log),
    told: new ToldTraits({
      files,
      hash: verifier,
      nowMs: ground.nowMs,
      isNews: traits.isNews,
      random: () => randomUnit(host.randomBytes(4)),
      onError: (error) => log.log('warn', `the told traits are not kept: ${error}`),
    }),
    agentVersion,
    dryRun: settings.dryRun,
    ...(updates && !settings.dryRun ? { updater: await openUpdater() } : {}),
  });
}

function selfCheckArguments({ configDirectory, stateDirectory, root }: Settings): string[] {
  const directories = ['--config-dir', configDirectory, '--state-dir', stateDirectory];
  return ['self-check', ...directories, '--root', root];
}

/** Collectors that fail are logged when what fails changes, not every pass. */
function collecting(collection: TraitCollection, log: Logger) {
  let logged = '';
  return async (): Promise<Traits> => {
    const { traits, errors } = await collection.collect();
    const failing = Object.entries(errors)
      .map(([name, error]) => `${name}: ${error}`)
      .join('; ');
    if (failing !== logged && failing !== '') log.log('warn', 'traits are missing', { failing });
    logged = failing;
    return traits;
  };
}

function randomUnit(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
}
