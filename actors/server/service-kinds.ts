import { guardLayout } from '../../agent/policy/guardrails.ts';
import type { AnyKind } from '../../runtime/host.ts';
import { nodeUrlProbe } from '../../runtime/ports/node-url-probe.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { accessKind } from '../access/actor.ts';
import { accountsKind } from '../accounts/actor.ts';
import { type AccountReader, accountContext } from '../accounts/context.ts';
import { loginKind } from '../accounts/login-lane.ts';
import { argon2Passwords } from '../accounts/password.ts';
import { secretSeal } from '../accounts/totp-seal.ts';
import { enrollmentKind } from '../enrollment/actor.ts';
import { FailureLimit } from '../enrollment/failure-limit.ts';
import { bcryptSecrets } from '../enrollment/secret-hash.ts';
import { explainKind } from '../explain/actor.ts';
import { federationKind } from '../federation/actor.ts';
import { fleetKind } from '../fleet/actor.ts';
import { publishKind } from '../publish/actor.ts';
import { publishAddress } from '../publish/messages.ts';
import { rememberingProbe } from '../publish/stack/check-urls.ts';
import { publishWriterKind } from '../publish/writer.ts';
import { releasesKind } from '../releases/actor.ts';
import { releasesAddress } from '../releases/messages.ts';
import { rolloutKind } from '../rollout/actor.ts';
import { type HealthSource, newestRecord } from '../rollout/health.ts';
import { createSecretCheck } from '../secrets/check-stack.ts';
import type { SecretProvider } from '../secrets/provider.ts';
import { uploadKind } from '../upload/actor.ts';
import { sodiumPemSigner, sodiumVerifier } from './crypto/sodium.ts';
import { lazyAuthority } from './lazy-authority.ts';
import type { Log } from './log.ts';
import { nodeReleaseFiles } from './node-release-files.ts';
import { secretKinds } from './secret-services.ts';
import { setupCodeFile } from './setup-code.ts';
import { releaseRollouts, type ServerThreadData, serverTables } from './thread-data.ts';

const recoverDeadlineMs = 50_000;

/** What the services need beside their configuration. */
export interface ServiceParts {
  readonly secrets: SecretProvider;
  /** Where hot records are read. */
  readonly shards: readonly StoreReader[];
  readonly accounts: AccountReader;
  /** The highest policy version, up to `most`, that an envoy has told of. */
  readonly reportedVersion: (most: number) => Promise<number>;
}

/** The kinds of the service host beside the sink. */
export function serviceKinds(
  data: ServerThreadData,
  ports: Ports,
  { secrets, shards, accounts, reportedVersion }: ServiceParts,
): AnyKind[] {
  const { layout, config, tls } = data;
  const files = { certificatePem: tls.authority, keyPem: tls.authorityKey };
  const authority = lazyAuthority(files, ports);
  const { bcryptCost, failuresPerMinute, certificateValidityMs } = config.enrollment;
  const health: HealthSource = {
    tables: serverTables,
    record: newestRecord(shards),
    intervalMs: config.checkin.intervalMs,
  };
  return [
    enrollmentKind({
      authority,
      identities: serverTables.identities,
      secrets: bcryptSecrets(bcryptCost),
      failures: new FailureLimit(failuresPerMinute),
      certificateValidityMs,
      envoyLimit: config.limits.envoys,
    }),
    accessKind(),
    federationKind(),
    fleetKind,
    ...accountKinds(data, accounts),
    ...secretKinds(config.secrets, secrets, ports),
    publishKind({
      stackDirectory: layout.stacksDirectory,
      liveDirectory: layout.liveDirectory,
      layout: guardLayout([layout.root]),
      crypto: sodiumVerifier,
      settings: config.publish,
      checkSecrets: createSecretCheck(secrets, ports.clock),
      urls: rememberingProbe(nodeUrlProbe(), ports.clock),
      reportedVersion,
      ...health,
    }),
    rolloutKind(health),
    explainKind({
      stackDirectory: layout.stacksDirectory,
      layout: guardLayout([layout.root]),
    }),
    uploadKind(layout.uploadsDirectory),
    releasesKind({
      files: nodeReleaseFiles(layout.agentsDirectory),
      table: releaseRollouts,
      signer: sodiumPemSigner(data.bundleSigningKey),
      verifier: sodiumVerifier,
      publicKeys: config.releases.publicKeys,
    }),
    publishWriterKind(serverTables),
  ];
}

function accountKinds(
  { layout, config, bundleSigningKey }: ServerThreadData,
  store: AccountReader,
) {
  const passwords = argon2Passwords();
  const context = accountContext({
    store,
    settings: config.accounts,
    passwords,
    seal: secretSeal(bundleSigningKey),
    setupCode: setupCodeFile(layout.setupCode),
    issuer: config.server.hostname === '' ? 'Vigo' : `Vigo ${config.server.hostname}`,
  });
  return [accountsKind(context), loginKind(passwords)];
}

/** Brings the rollout of a release into a store that lost it. */
async function recoverReleases(system: ThreadSystem, log: Log): Promise<void> {
  try {
    await system.ask(releasesAddress(), 'recover', {}, { deadlineMs: recoverDeadlineMs });
  } catch (error) {
    log.error({ err: error }, 'releases cannot be read; no agent is updated');
  }
}

/**
 * Brings the policy that is in force into a store that lost it, before agents come. A damaged live
 * copy must not keep the server from serving; the next publish repairs it. Likewise the release that is
 * being rolled out.
 */
export async function recoverPolicy(system: ThreadSystem, log: Log): Promise<void> {
  await recoverReleases(system, log);
  try {
    const options = { deadlineMs: recoverDeadlineMs };
    const { version, rebuilt } = await system.ask(publishAddress(), 'recover', {}, options);
    if (rebuilt) log.info({ version }, 'policy restored');
  } catch (error) {
    log.error({ err: error }, 'the policy in force could not be restored; publish it again');
  }
}
