import type { FileStatus, Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { showFields } from './show-fields.ts';

/** Where systemd finds units and what is enabled (systemd.unit(5)), beside what it makes at boot. */
const unitDirectories = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/etc/systemd/system',
  '/etc/systemd/system.attached',
  '/run/systemd/system',
  '/run/systemd/system.attached',
  '/usr/local/lib/systemd/system',
  '/lib/systemd/system',
  '/usr/lib/systemd/system',
];
/** Of other units, or of drop-ins: names of directories among the units. */
const directoryPattern = /\.(wants|requires|d)$/;
/** systemd keeps a link here while a unit runs; it tells the run, which no other run shares. */
const runsDirectory = '/run/systemd/units';
/** What changed so shortly before may change again without a new time stamp. */
const settledMs = 1000;
const unitLimit = 2000;
const directoryLimit = 5000;

interface Known {
  readonly text: string;
  readonly run: string;
  /** Of the directories, and of the unit's own files. */
  readonly directories: string;
  readonly files: string;
  readonly paths: readonly string[];
  readonly link: string;
}

/** All directories of units at one moment. */
export interface UnitDirectories {
  readonly stamp: string;
  readonly newestMs: number;
}

/**
 * Answers of `systemctl show` about running services, kept while files prove them: the service is
 * still in the same run (systemd removes the link of a run that ended, and every start is a new one),
 * and neither its files nor any directory of units has changed since. Everything else is asked again:
 * what does not run, what systemd has not read anew, what was changed a moment ago. While a service
 * is being stopped it counts as running, until it is down.
 */
export class KnownUnits {
  readonly #platform: Platform;
  readonly #known = new Map<string, Known>();
  /** Directory -> its stamp and the directories in it. */
  readonly #listed = new Map<string, { stamp: string; within: readonly string[] }>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Whether there is anything to recall for any of these units. */
  knowsAny(units: readonly string[]): boolean {
    return units.some((unit) => this.#known.has(unit));
  }

  /** To be asked once for several units that are looked at together. */
  async directories(): Promise<UnitDirectories> {
    const stamps: string[] = [];
    let newestMs = 0;
    for (const path of unitDirectories) {
      const status = await this.#status(path);
      const stamp = stampOf(status);
      stamps.push(stamp);
      newestMs = Math.max(newestMs, status?.modifiedMs ?? 0);
      if (status?.kind !== 'directory') continue;
      for (const inner of await this.#within(path, stamp)) {
        const innerStatus = await this.#status(inner);
        stamps.push(stampOf(innerStatus));
        newestMs = Math.max(newestMs, innerStatus?.modifiedMs ?? 0);
      }
    }
    return { stamp: stamps.join(' '), newestMs };
  }

  /** The answer of before, when it still holds. */
  async recall(unit: string, { stamp }: UnitDirectories): Promise<string | undefined> {
    const known = this.#known.get(unit);
    if (known === undefined) return undefined;
    const holds =
      known.directories === stamp &&
      (await this.#run(known.link)) === known.run &&
      (await this.#files(known.paths)).stamp === known.files;
    if (holds) return known.text;
    this.#known.delete(unit);
    return undefined;
  }

  /** `askedAtMs`: when systemd was asked for this text, by the wall clock. */
  async keep(unit: string, text: string, askedAtMs: number): Promise<void> {
    const fields = showFields(text);
    const run = fields.get('InvocationID') ?? '';
    const link = `${runsDirectory}/invocation:${fields.get('Id')}`;
    if (run === '' || !isSteady(fields) || (await this.#run(link)) !== run) return;
    const paths = [fields.get('FragmentPath'), ...(fields.get('DropInPaths') ?? '').split(' ')];
    const own = paths.filter((path): path is string => path?.startsWith('/') === true);
    const [directories, files] = [await this.directories(), await this.#files(own)];
    const newestMs = Math.max(directories.newestMs, files.newestMs);
    if (newestMs > askedAtMs - settledMs) return;
    if (this.#known.size >= unitLimit) this.#known.clear();
    const stamps = { directories: directories.stamp, files: files.stamp };
    this.#known.set(unit, { text, run, link, paths: own, ...stamps });
  }

  forget(): void {
    this.#known.clear();
  }

  async #within(path: string, stamp: string): Promise<readonly string[]> {
    const listed = this.#listed.get(path);
    if (listed?.stamp === stamp) return listed.within;
    const names = await this.#platform.files.list(path);
    const within = names.filter((name) => directoryPattern.test(name)).slice(0, directoryLimit);
    const paths = within.map((name) => `${path}/${name}`);
    this.#listed.set(path, { stamp, within: paths });
    return paths;
  }

  async #files(paths: readonly string[]): Promise<UnitDirectories> {
    const statuses = await Promise.all(paths.map((path) => this.#status(path)));
    return {
      stamp: statuses.map(stampOf).join(' '),
      newestMs: Math.max(0, ...statuses.map((status) => status?.modifiedMs ?? 0)),
    };
  }

  async #run(link: string): Promise<string | undefined> {
    try {
      return await this.#platform.files.readLink(link);
    } catch (thrown) {
      if (thrown instanceof PlatformError) return undefined;
      throw thrown;
    }
  }

  #status(path: string): Promise<FileStatus | undefined> {
    return this.#platform.files.status(path);
  }
}

function stampOf(status: FileStatus | undefined): string {
  if (status === undefined) return '-';
  return `${status.inode}:${status.size}:${status.modifiedMs}`;
}

/** Runs as systemd's files say; what a generator or a program made has no files that prove it. */
function isSteady(fields: ReadonlyMap<string, string>): boolean {
  return (
    fields.get('LoadState') === 'loaded' &&
    fields.get('ActiveState') === 'active' &&
    fields.get('NeedDaemonReload') === 'no' &&
    !['generated', 'transient', ''].includes(fields.get('UnitFileState') ?? '')
  );
}
