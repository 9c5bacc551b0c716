import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyKind } from '../../runtime/host.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { codeOf } from '../errors.ts';
import { secretsKind } from '../secrets/actor.ts';
import { secretsAddress } from '../secrets/messages.ts';
import { openProvider } from '../secrets/open.ts';
import { nodeExchange } from '../secrets/openbao/http.ts';
import type { SecretProvider } from '../secrets/provider.ts';
import { SecretReader } from '../secrets/reader.ts';
import { secretSealerKind } from '../secrets/sealer.ts';
import type { SecretsConfig } from './config/config.ts';
import { agreementPublicKey, serverHpke } from './crypto/hpke-primitives.ts';
import type { Log } from './log.ts';
import { secretEpochs } from './thread-data.ts';

const recoverDeadlineMs = 20_000;
const epochFileName = 'epochs.json';
/** No secret: only whether the store answers is asked. */
const probePath = 'vigo/reachable';

/** Opens the store that server.yaml names; throws what is wrong on this machine. */
export function openSecretStore(
  config: SecretsConfig,
  ports: Pick<Ports, 'disk' | 'random' | 'clock'>,
): Promise<SecretProvider> {
  const modeOf = async (file: string) => (await stat(file)).mode;
  return openProvider(config, { ports, modeOf, exchange: nodeExchange });
}

/** The kinds of the service host that have to do with secrets. */
export function secretKinds(
  config: SecretsConfig,
  provider: SecretProvider,
  ports: Pick<Ports, 'clock'>,
): AnyKind[] {
  const reader = new SecretReader(provider, ports.clock);
  const epochFile = join(config.secretsDirectory, epochFileName);
  return [
    secretsKind({ provider, reader, epochFile, table: secretEpochs }),
    secretSealerKind({ reader, hpke: serverHpke, agreementKey: agreementPublicKey }),
  ];
}

/** Makes the epochs known to the shards before agents come. */
export async function recoverSecrets(system: ThreadSystem, log: Log): Promise<void> {
  try {
    await system.ask(secretsAddress(), 'recover', {}, { deadlineMs: recoverDeadlineMs });
  } catch (error) {
    log.error({ err: error }, 'the epochs of the secrets could not be restored');
  }
}

/**
 * Says at the start whether the store can be reached. It does not keep the server from starting: the
 * nodes go on with the values they hold, and what needs the store is refused until it is back.
 */
export async function probeSecretStore(provider: SecretProvider, log: Log): Promise<void> {
  const { backend } = provider;
  try {
    await provider.exists(probePath);
    log.debug({ backend }, 'the secret store answers');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ backend, code: codeOf(error), reason }, 'the secret store cannot be used');
  }
}
