import { sha256Hex } from '../../platform/digest.ts';
import type { ContainerDefinition } from '../../platform/docker/docker-engine.ts';
import { fullImageName } from '../../platform/docker/image-name.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalJson } from '../../protocol/canonical-json.ts';
import type { ContainerSpec } from './container-spec.ts';

/** The label that tells what a container was declared with. */
export const declarationLabel = 'vigo.declaration';

const saltLength = 16;
/** Hexadecimal digits kept of each hash: it tells changes, it does not prove anything. */
const digits = 16;

/**
 * Each thing that a container is made with, by name, as text. Only what `docker inspect` could not be
 * asked for without knowing what the image adds.
 */
function aspects(spec: ContainerSpec): ReadonlyMap<string, string> {
  const { command, ports, network, volumes, environment, restart } = spec;
  return new Map([
    ['image', fullImageName(spec.image)],
    ['command', canonicalJson(command ?? null)],
    ['ports', canonicalJson(ports.map((port) => ({ ...port })))],
    ['network', network ?? ''],
    ['volumes', canonicalJson(volumes)],
    ['environment', canonicalJson(environment)],
    ['restart_policy', restart],
  ]);
}

/** "salt;image=hash;command=hash;...": salted, because values may be secrets that are easy to guess. */
export function declarationOf(spec: ContainerSpec, randomBytes: (length: number) => Uint8Array) {
  const salt = toHex(randomBytes(saltLength));
  const hashes = [...aspects(spec)].map(([name, text]) => `${name}=${hashOf(salt, name, text)}`);
  return [salt, ...hashes].join(';');
}

/** What differs between a declaration and the label of a container; everything without a label. */
export function changedAspects(spec: ContainerSpec, label: string | undefined): string[] {
  const [salt = '', ...hashes] = (label ?? '').split(';');
  const known = new Map(hashes.map((one) => one.split('=') as [string, string]));
  return [...aspects(spec)]
    .filter(([name, text]) => known.get(name) !== hashOf(salt, name, text))
    .map(([name]) => name);
}

function hashOf(salt: string, name: string, text: string): string {
  return sha256Hex(`${salt}\n${name}\n${text}`).slice(0, digits);
}

/** The container as the engine is to make it. */
export function definitionOf(spec: ContainerSpec, declaration: string): ContainerDefinition {
  const [name = 'no', retries = '0'] = spec.restart.split(':');
  return {
    image: spec.image,
    command: spec.command,
    environment: spec.environment,
    labels: { [declarationLabel]: declaration },
    ports: spec.ports,
    binds: spec.volumes,
    network: spec.network,
    restart: { name, maximumRetries: Number(retries) },
  };
}
