import { loadIdentity } from '../identity/identity.ts';
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
  const { settings, parts, log } = context;
  const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  const live: { facts?: () => LiveFacts } = {};
  const release = await parts.lock(settings.stateDirectory, () => live.facts?.() ?? {});
  const platform = parts.platform(settings);
  const { clock, host } = parts;
  const nowMs = (): number => clock.nowMs();
  const files = parts.openFiles(settings.stateDirectory);
  const envoyId = uuidToText(identity.envoyId);
  await forgetOtherEnvoy(files, envoyId, [
    bundleFileName,
    reportsFileName,
    toldTraitsFileName,
    historyFileName,
    updateFileName,
    witnessFileName,
  ]);
  const incidents = new IncidentLog(log, nowMs);
  const memory = await Memory.open(files, incidents, nowMs);
  const queue = await ReportQueue.open(files, nowMs);
  const verifier = parts.verifier();
  const signer = parts.identityCrypto.signer(identity.keyPem);
  const client = new ServerClient({
    channel: parts.openMutual(settings.server ?? identity.server, identity),
    envoyId: identity.envoyId,
    signer,
    sequence: await RequestSequence.open(files, nowMs),
    clock,
  });
  const cache = new BundleCache(files, verifier);
  const reporter = new Reporter({ queue, client, memory, incidents, log, nowMs });
  const server = settings.server ?? identity.server;
  const engine = parts.engine({ ...settings, server }, platform);
  const traits = parts.openTraits(platform, traitFacts(settings, envoyId));
  const openUpdater = () =>
    Updater.open({
      programs: parts.programs(settings),
      files,
      identity,
      verifier,
      client,
      incidents,
      clock,
      log,
      agentVersion,
      platform: `${host.operatingSystem}-${host.architecture}`,
      selfCheckArguments: selfCheckArguments(settings),
    });
  const agent = new NodeAgent({
    platform,
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
      envoyId: identity.envoyId,
      hpke: parts.identityCrypto.hpke,
      agreementKey: () => parts.identityCrypto.agreementKey(identity.keyPem),
      incidents,
    }),
    rehearser: new Rehearser({ identity, verifier, engine, reporter, incidents, log, nowMs }),
    witness: await Witness.open({
      ...{ files, signer, verifier, incidents, log, nowMs },
      bundlePublicKey: identity.bundlePublicKey,
    }),
    collectTraits: collecting(traits, log),
    told: new ToldTraits({
      files,
      hash: verifier,
      nowMs,
      isNews: traits.isNews,
      random: () => randomUnit(host.randomBytes(4)),
      onError: (error) => log.log('warn', `the told traits are not kept: ${error}`),
    }),
    log,
    agentVersion,
    dryRun: settings.dryRun,
    ...(updates && !settings.dryRun ? { updater: await openUpdater() } : {}),
  });
  const startedMs = clock.monotonicMs();
  return {
    agent,
    tell: (schedule) => {
      live.facts = () => ({
        version: agentVersion,
        envoyId,
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
      client.close();
      release();
    },
  };
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
