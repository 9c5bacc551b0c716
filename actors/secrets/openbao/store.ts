import { ServerError } from '../../errors.ts';
import type { SecretSummary } from '../messages.ts';
import { type SecretProvider, secretCountLimit } from '../provider.ts';
import type { OpenbaoClient } from './client.ts';

export interface OpenbaoStoreOptions {
  readonly client: OpenbaoClient;
  /** Where the KV engine (version 2) is mounted. */
  readonly mount: string;
  /** The field that holds the value where a reference names none. */
  readonly field: string;
}

const folderLimit = 1_000;

interface VersionMetadata {
  readonly version?: number;
  readonly deletion_time?: string;
  readonly destroyed?: boolean;
}

interface SecretData {
  readonly data?: {
    readonly data?: Readonly<Record<string, unknown>> | null;
    readonly metadata?: VersionMetadata;
  };
}

/** OpenBao or Vault, secrets engine KV version 2 (https://openbao.org/api-docs/secret/kv/kv-v2/). */
export class OpenbaoStore implements SecretProvider {
  readonly backend = 'openbao';
  readonly #options: OpenbaoStoreOptions;

  constructor(options: OpenbaoStoreOptions) {
    this.#options = options;
  }

  async read(path: string): Promise<string | undefined> {
    const { name, field } = this.#parts(path);
    const answer = (await this.#call('GET', `data/${name}`)) as SecretData | undefined;
    if (answer === undefined) return undefined;
    const fields = answer.data?.data;
    if (fields === undefined)
      throw new ServerError('SECRETS_BAD_ANSWER', { reason: `no data for ${path}` });
    // The latest version may be deleted; then it is as if there were no secret.
    const value = fields === null ? undefined : fields[field];
    return value === undefined || value === null || typeof value === 'object'
      ? undefined
      : String(value);
  }

  async exists(path: string): Promise<boolean> {
    return (await this.read(path)) !== undefined;
  }

  async write(path: string, value: string): Promise<number> {
    const { name, field } = this.#parts(path);
    const body = { data: { [field]: value } };
    // A patch keeps the other fields; where nothing is yet, there is nothing to patch.
    const patched = await this.#call('PATCH', `data/${name}`, body, 'application/merge-patch+json');
    const answer = patched ?? (await this.#call('POST', `data/${name}`, body));
    const { data } = (answer ?? {}) as { data?: VersionMetadata };
    return data?.version ?? 0;
  }

  async list(): Promise<readonly SecretSummary[]> {
    const found: SecretSummary[] = [];
    const folders = [''];
    for (let looked = 0; folders.length > 0 && looked < folderLimit; looked += 1) {
      const folder = folders.shift()!;
      const answer = await this.#call('GET', `metadata/${folder}?list=true`);
      const { data } = (answer ?? {}) as { data?: { keys?: unknown } };
      const keys = Array.isArray(data?.keys) ? data.keys.map(String) : [];
      for (const key of keys) {
        if (key.endsWith('/')) folders.push(folder + key);
        else if (found.length < secretCountLimit) found.push(unknownBut(folder + key));
      }
    }
    return found;
  }

  initialise(): Promise<void> {
    return Promise.reject(notOffered('making it ready'));
  }

  rekey(): Promise<number> {
    return Promise.reject(notOffered('replacing its key'));
  }

  #parts(path: string): { name: string; field: string } {
    const [name = '', field = this.#options.field] = path.split('#');
    return { name, field };
  }

  #call(method: string, path: string, body?: object, type?: string): Promise<unknown> {
    return this.#options.client.call(method, `${this.#options.mount}/${path}`, body, type);
  }
}

function unknownBut(path: string): SecretSummary {
  return { path, version: 0, updatedAtMs: 0, versions: 0, updatedBy: '' };
}

function notOffered(action: string): ServerError {
  return new ServerError('SECRETS_NOT_OFFERED', { backend: 'openbao', action });
}
