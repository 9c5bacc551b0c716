import type { Ports } from '../../runtime/ports/ports.ts';
import { ServerError } from '../errors.ts';
import type { SecretsConfig } from '../server/config/config.ts';
import { LocalStore } from './local/store.ts';
import { OpenbaoClient, type OpenbaoLogin } from './openbao/client.ts';
import type { HttpExchange } from './openbao/http.ts';
import { OpenbaoStore } from './openbao/store.ts';
import { type ModeOf, refuseExposed } from './private-file.ts';
import type { SecretProvider } from './provider.ts';

export interface SecretsMachine {
  readonly ports: Pick<Ports, 'disk' | 'random' | 'clock'>;
  readonly modeOf: ModeOf;
  readonly exchange: HttpExchange;
}

/**
 * The store that server.yaml names. What is wrong on this machine (a key that others may read, a file
 * that is missing) is thrown, so that the server does not start with it; a store that does not answer
 * is not, because a restart of the server must not depend on it.
 */
export async function openProvider(
  config: SecretsConfig,
  machine: SecretsMachine,
): Promise<SecretProvider> {
  if (config.backend === 'local') {
    const { disk, random, clock } = machine.ports;
    return await LocalStore.open({
      disk,
      random,
      nowMs: () => clock.nowMs(),
      modeOf: machine.modeOf,
      directory: config.secretsDirectory,
      keyFile: config.keyFile,
    });
  }
  checkUrl(config.url);
  const { namespace, timeoutMs, mount, field, url } = config;
  const client = new OpenbaoClient({
    url,
    namespace,
    login: await loginOf(config, machine),
    ca: config.caFile === '' ? undefined : await readText(config.caFile, machine),
    timeoutMs,
    exchange: machine.exchange,
    clock: machine.ports.clock,
  });
  return new OpenbaoStore({ client, mount, field });
}

/** Values must not cross a network in the clear, whoever configures it. */
function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed?.hostname ?? '');
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && local)) return;
  throw unusable('secrets.url must be https://host:port, or http:// to this machine');
}

async function loginOf(config: SecretsConfig, machine: SecretsMachine): Promise<OpenbaoLogin> {
  const { tokenFile, roleId, secretIdFile, approleMount } = config;
  const readPrivate = (file: string) => async () => {
    await refuseExposed(file, machine.modeOf);
    return (await readText(file, machine)).trim();
  };
  if (tokenFile !== '' && roleId === '') {
    const readToken = readPrivate(tokenFile);
    await readToken();
    return { kind: 'token', readToken };
  }
  if (roleId !== '' && secretIdFile !== '' && tokenFile === '') {
    const readSecretId = readPrivate(secretIdFile);
    await readSecretId();
    return { kind: 'approle', roleId, readSecretId, mount: approleMount };
  }
  throw unusable('openbao needs token_file, or role_id and secret_id_file');
}

async function readText(file: string, { ports }: SecretsMachine): Promise<string> {
  try {
    return new TextDecoder().decode(await ports.disk.read(file));
  } catch (cause) {
    throw unusable(cause instanceof Error ? cause.message : String(cause));
  }
}

function unusable(reason: string): ServerError {
  return new ServerError('SECRETS_CONFIG', { reason });
}
