import type { IncidentLog } from '../incident-log.ts';
import type { HeldPolicy } from '../offline/bundle-cache.ts';
import { type HpkePrimitives, hpkeOpen } from '../protocol/hpke.ts';
import { secretBinding } from '../protocol/secret.ts';
import type { TraceContext } from '../protocol/traceparent.ts';
import type { ServerClient } from '../server-client.ts';
import { noSecretValues, type SecretValues, secretValues } from './secret-values.ts';

/** References of one request; what a server takes. */
const requestLimit = 1_000;
/** Values that were replaced and are still taken out of texts. */
const formerLimit = 1_000;

export interface SecretKeeperParts {
  readonly client: Pick<ServerClient, 'call'>;
  /** 16 bytes. */
  readonly envoyId: Uint8Array;
  readonly hpke: HpkePrimitives;
  /** X25519 form of the identity key, 32 bytes. */
  readonly agreementKey: () => Uint8Array;
  readonly incidents: IncidentLog;
}

/**
 * The secrets of this node, in memory only. They are fetched when a policy that needs them is enforced,
 * and again when the server says that one of them has changed. Without the server, what is known is
 * used on: a value that may be outdated keeps a service running, and the failure is an incident.
 */
export class SecretKeeper {
  readonly #parts: SecretKeeperParts;
  #values = new Map<string, string>();
  #former: string[] = [];
  #current: SecretValues = noSecretValues;
  /** Of the manifest for which everything was fetched. */
  #epoch = -1;

  constructor(parts: SecretKeeperParts) {
    this.#parts = parts;
  }

  /** `trace` undefined: the server is not asked. Never throws; what is missing blocks its resources. */
  async valuesFor(
    policy: HeldPolicy,
    paths: readonly string[],
    trace: TraceContext | undefined,
  ): Promise<SecretValues> {
    const { secretsEpoch } = policy.manifest;
    const outdated = secretsEpoch !== this.#epoch;
    const wanted = outdated ? paths : paths.filter((path) => !this.#values.has(path));
    if (wanted.length > 0 && trace !== undefined) {
      try {
        const fetched = await this.#fetch(policy, wanted, trace);
        const known = outdated ? [] : this.#values;
        this.#keep(paths, new Map([...known, ...fetched]));
        this.#epoch = secretsEpoch;
      } catch (error) {
        this.#parts.incidents.add(error);
      }
    }
    return this.#current;
  }

  /** For a candidate that is only rehearsed: what is fetched for it is kept nowhere. Never throws. */
  async valuesForCandidate(
    bundleRoot: Uint8Array,
    paths: readonly string[],
    trace: TraceContext,
  ): Promise<SecretValues> {
    const wanted = paths.filter((path) => !this.#values.has(path));
    if (wanted.length === 0) return this.#current;
    try {
      const fetched = await this.#fetch({ manifest: { bundleRoot } }, wanted, trace);
      return secretValues(new Map([...this.#values, ...fetched]), this.#former);
    } catch (error) {
      this.#parts.incidents.add(error);
      return this.#current;
    }
  }

  async #fetch(
    { manifest }: { readonly manifest: Pick<HeldPolicy['manifest'], 'bundleRoot'> },
    paths: readonly string[],
    trace: TraceContext,
  ): Promise<Map<string, string>> {
    const { client } = this.#parts;
    const fetched = new Map<string, string>();
    let wanted = [...paths];
    while (wanted.length > 0) {
      const references = wanted.slice(0, requestLimit);
      const body = { bundleRoot: manifest.bundleRoot, references };
      const answer = await client.call('ResolveSecrets', body, trace);
      for (const { reference, sealedValue } of answer.secrets)
        fetched.set(reference, this.#open(reference, answer.secretsEpoch, sealedValue));
      const answered = new Set([...answer.missing, ...answer.secrets.map((one) => one.reference)]);
      const rest = wanted.filter((path) => !answered.has(path));
      // An answer without any of what was asked for would go on for ever.
      if (rest.length === wanted.length) break;
      wanted = rest;
    }
    return fetched;
  }

  #open(reference: string, epoch: number, sealed: Uint8Array): string {
    const { hpke, agreementKey, envoyId } = this.#parts;
    const binding = secretBinding(envoyId, reference, epoch);
    const value = hpkeOpen(hpke, agreementKey(), binding, sealed);
    return new TextDecoder().decode(value);
  }

  /** What the policy does not need any more leaves. */
  #keep(paths: readonly string[], known: ReadonlyMap<string, string>): void {
    const values = new Map<string, string>();
    for (const path of paths) {
      const value = known.get(path);
      if (value !== undefined) values.set(path, value);
    }
    const kept = new Set(values.values());
    const replaced = [...this.#values.values()].filter((value) => !kept.has(value));
    this.#former = [...replaced, ...this.#former].slice(0, formerLimit);
    this.#values = values;
    this.#current = secretValues(values, this.#former);
  }
}
