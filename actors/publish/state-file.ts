import type { Disk } from '../../runtime/ports/disk.ts';
import { codeOf, ServerError } from '../errors.ts';
import { nothingPublished, type PublishState, stateFormat } from './state.ts';

/** `.live/version.json`: the commit point of everything that publishing does. */
export class StateFile {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Rejects with PUBLISH_LIVE_DAMAGED. */
  async read(): Promise<PublishState> {
    const value = await this.#readJson('version.json');
    if (value === undefined) return nothingPublished;
    if (isState(value)) return value;
    throw new ServerError('PUBLISH_LIVE_DAMAGED', { reason: 'version.json cannot be read' });
  }

  /** As `read`, but nothing instead of PUBLISH_LIVE_DAMAGED: a new publish repairs it. */
  async readIfWhole(): Promise<PublishState | undefined> {
    return this.read().catch(ignoreDamage);
  }

  /** Replaces the state as one step. */
  async write(state: PublishState): Promise<void> {
    await this.#writeJson('version.json', state);
  }

  /** A version that was never given out before, also not to a publish that failed. */
  async reserveVersion(used: number): Promise<number> {
    const found = await this.#readJson('reserved.json').catch(ignoreDamage);
    const reserved = isRecord(found) && typeof found.version === 'number' ? found.version : 0;
    const version = Math.max(used, reserved) + 1;
    await this.#writeJson('reserved.json', { version });
    return version;
  }

  async #readJson(name: string): Promise<unknown> {
    const path = `${this.#directory}/${name}`;
    if (!(await this.#disk.exists(path))) return undefined;
    const text = new TextDecoder().decode(await this.#disk.read(path));
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new ServerError('PUBLISH_LIVE_DAMAGED', { reason: `${name} cannot be read` });
    }
  }

  async #writeJson(name: string, value: object): Promise<void> {
    await this.#disk.makeDirectory(this.#directory, 0o700);
    const text = `${JSON.stringify(value, null, 2)}\n`;
    await this.#disk.writeDurable(`${this.#directory}/${name}`, new TextEncoder().encode(text));
  }
}

/** The file is ours alone; this tells a damaged one, and one of another release. */
function isState(value: unknown): value is PublishState {
  if (!isRecord(value) || value.format !== stateFormat) return false;
  const { live, kept, unsent, revision } = value;
  return (
    isRecord(live) &&
    typeof live.version === 'number' &&
    typeof live.stackHash === 'string' &&
    typeof live.generation === 'number' &&
    Array.isArray(kept) &&
    isRecord(unsent) &&
    typeof revision === 'number'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ignoreDamage(error: unknown): undefined {
  if (codeOf(error) !== 'PUBLISH_LIVE_DAMAGED') throw error;
  return undefined;
}
