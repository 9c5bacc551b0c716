import type { Disk } from '../../../runtime/ports/disk.ts';
import type { Random } from '../../../runtime/ports/random.ts';
import { ServerError } from '../../errors.ts';
import type { SecretSummary } from '../messages.ts';
import { type ModeOf, refuseExposed } from '../private-file.ts';
import { type SecretProvider, secretCountLimit } from '../provider.ts';
import {
  decodeSecret,
  encodeSecret,
  keyIdOf,
  type MasterKey,
  masterKey,
  masterKeyLength,
  nonceLength,
  type StoredSecret,
} from './format.ts';

export interface LocalStoreOptions {
  readonly disk: Disk;
  readonly random: Pick<Random, 'bytes'>;
  readonly nowMs: () => number;
  readonly modeOf: ModeOf;
  /** Absolute paths. */
  readonly directory: string;
  readonly keyFile: string;
}

/** Versions kept of one secret, the one in force included. */
export const keptVersions = 10;
const keyFileMode = 0o600;
const suffix = '.secret';

/**
 * Secrets as encrypted files, one per path. Writing replaces a file as one step. While the master key
 * is replaced, files of both keys are read, so that a crash at any point loses nothing: the next start
 * finishes what was begun.
 */
export class LocalStore implements SecretProvider {
  readonly backend = 'local';
  readonly #options: LocalStoreOptions;
  readonly #keys = new Map<string, MasterKey>();
  #current: MasterKey | undefined;

  private constructor(options: LocalStoreOptions) {
    this.#options = options;
  }

  /** Throws SECRETS_FILE_EXPOSED, _KEY_MALFORMED or _KEY_LOST; finishes an interrupted rekey. */
  static async open(options: LocalStoreOptions): Promise<LocalStore> {
    const store = new LocalStore(options);
    const { disk, directory, keyFile } = options;
    await disk.makeDirectory(directory, 0o700);
    store.#adopt(await store.#loadKey(keyFile));
    if (store.#current === undefined && (await store.#paths()).length > 0)
      throw new ServerError('SECRETS_KEY_LOST', { directory, file: keyFile });
    if (await disk.exists(store.#nextKeyFile)) await store.rekey();
    return store;
  }

  async initialise(): Promise<void> {
    if (this.#current !== undefined) throw new ServerError('SECRETS_ALREADY_INITIALISED', {});
    const key = masterKey(this.#options.random.bytes(masterKeyLength));
    await this.#saveKey(this.#options.keyFile, key);
    this.#adopt(key);
  }

  async read(path: string): Promise<string | undefined> {
    return (await this.#load(path))?.versions[0]?.value;
  }

  async exists(path: string): Promise<boolean> {
    if (path.includes('#')) return false;
    return await this.#options.disk.exists(this.#fileOf(path));
  }

  async write(path: string, value: string, by: string): Promise<number> {
    const { random, disk, nowMs } = this.#options;
    if (path.includes('#')) {
      const reason = 'names a field, and the local store has none';
      throw new ServerError('SECRETS_BAD_PATH', { path, reason });
    }
    const key = this.#required();
    const known = await this.#load(path);
    if (known === undefined && (await this.#paths()).length >= secretCountLimit)
      throw new ServerError('SECRETS_LIMIT', { limit: secretCountLimit });
    const former = known?.versions ?? [];
    const version = (former[0]?.version ?? 0) + 1;
    const secret: StoredSecret = {
      versions: [
        { version, value, createdAtMs: nowMs(), by },
        ...former.slice(0, keptVersions - 1),
      ],
    };
    const file = encodeSecret(path, secret, key, random.bytes(nonceLength));
    await disk.writeDurable(this.#fileOf(path), file, keyFileMode);
    return version;
  }

  async list(): Promise<readonly SecretSummary[]> {
    const found: SecretSummary[] = [];
    for (const path of await this.#paths()) {
      const { versions } = (await this.#load(path)) ?? { versions: [] };
      const [newest] = versions;
      if (newest === undefined) continue;
      const { version, createdAtMs, by } = newest;
      const kept = versions.length;
      found.push({ path, version, updatedAtMs: createdAtMs, versions: kept, updatedBy: by });
    }
    return found;
  }

  async rekey(): Promise<number> {
    const { disk, random, keyFile } = this.#options;
    this.#required();
    let next = await this.#loadKey(this.#nextKeyFile);
    if (next === undefined) {
      next = masterKey(random.bytes(masterKeyLength));
      await this.#saveKey(this.#nextKeyFile, next);
    }
    this.#keys.set(next.id, next);
    const paths = await this.#paths();
    for (const path of paths) {
      const file = await disk.read(this.#fileOf(path));
      if (keyIdOf(path, file) === next.id) continue;
      const secret = decodeSecret(path, file, this.#keys);
      const encrypted = encodeSecret(path, secret, next, random.bytes(nonceLength));
      await disk.writeDurable(this.#fileOf(path), encrypted, keyFileMode);
    }
    await disk.rename(this.#nextKeyFile, keyFile);
    this.#keys.clear();
    this.#adopt(next);
    return paths.length;
  }

  get #nextKeyFile(): string {
    return `${this.#options.keyFile}.next`;
  }

  #required(): MasterKey {
    if (this.#current === undefined) throw new ServerError('SECRETS_NOT_INITIALISED', {});
    return this.#current;
  }

  #adopt(key: MasterKey | undefined): void {
    this.#current = key;
    if (key !== undefined) this.#keys.set(key.id, key);
  }

  async #load(path: string): Promise<StoredSecret | undefined> {
    if (!(await this.exists(path))) return undefined;
    this.#required();
    const file = this.#fileOf(path);
    try {
      return decodeSecret(path, await this.#options.disk.read(file), this.#keys);
    } catch (error) {
      // The master key was replaced between reading the file and decrypting it.
      const { code } = error as { code?: string };
      if (code !== 'SECRETS_WRONG_KEY') throw error;
      return decodeSecret(path, await this.#options.disk.read(file), this.#keys);
    }
  }

  /** "+" is in no path, so that names are unique and flat. */
  #fileOf(path: string): string {
    return `${this.#options.directory}/${path.replaceAll('/', '+')}${suffix}`;
  }

  async #paths(): Promise<string[]> {
    const names = await this.#options.disk.list(this.#options.directory);
    return names
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length).replaceAll('+', '/'))
      .sort();
  }

  async #loadKey(file: string): Promise<MasterKey | undefined> {
    const { disk, modeOf } = this.#options;
    if (!(await disk.exists(file))) return undefined;
    await refuseExposed(file, modeOf);
    const text = Buffer.from(await disk.read(file)).toString('latin1');
    const hex = /^([0-9a-fA-F]{64})\s*$/.exec(text)?.[1];
    if (hex === undefined) throw new ServerError('SECRETS_KEY_MALFORMED', { file });
    return masterKey(Buffer.from(hex, 'hex'));
  }

  async #saveKey(file: string, { key }: MasterKey): Promise<void> {
    const text = `${Buffer.from(key).toString('hex')}\n`;
    await this.#options.disk.writeDurable(file, Buffer.from(text), keyFileMode);
  }
}
