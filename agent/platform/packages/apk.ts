import type { Platform } from '../platform.ts';
import { ParsedFile, readText } from '../text-file.ts';
import { AnswerCache, filesStamp } from './answer-cache.ts';
import { comparable, parseApkDatabase, parseNewer, parseWorld } from './apk-files.ts';
import { type FailureCauses, machineTrouble } from './package-failure.ts';
import type {
  InstallRequest,
  PackageManager,
  PackageOperationOptions,
  PackageRecord,
  RemoveRequest,
} from './package-manager.ts';
import { PackageTool } from './package-tool.ts';
import { meansVersion, refuseDowngrade } from './version-order.ts';

const causes: FailureCauses = [
  [
    'AGENT_PACKAGE_LOCKED',
    [/Unable to lock database: (Resource temporarily unavailable|temporary error)/],
  ],
  ...machineTrouble,
  ['AGENT_READ_ONLY_FILE_SYSTEM', [/Read-only file system/]],
  [
    'AGENT_PACKAGE_REPOSITORY',
    [
      /UNTRUSTED signature|BAD signature|Key .* not found/,
      /temporary error|network error|DNS (lookup )?error|(IO|I\/O) ERROR|Connection|timed out/,
      /unable to open index|v2 (database|package) format error|Permission denied fetching/i,
    ],
  ],
  [
    'AGENT_PACKAGE_UNKNOWN',
    [/\(no such package\)|\(missing\)/, /breaks: world\[/, /unsatisfiable constraints/],
  ],
];

const databasePath = '/lib/apk/db/installed';
const worldPath = '/etc/apk/world';
const choicePaths = [
  databasePath,
  worldPath,
  '/etc/apk/repositories',
  '/etc/apk/repositories.d',
  '/var/cache/apk',
];
const lockWaitSeconds = '3';

/**
 * apk on Alpine. It holds a package by an exact version in its list of wanted ones (world), where a
 * declared version therefore stays until another one, or none, is declared.
 */
export class ApkManager implements PackageManager {
  readonly name = 'apk';
  readonly #program: string;
  readonly #platform: Platform;
  readonly #tool: PackageTool;
  readonly #database = new ParsedFile(databasePath, parseApkDatabase);
  readonly #world = new ParsedFile(worldPath, parseWorld);
  readonly #answers: AnswerCache;

  constructor(platform: Platform, program = '/sbin/apk') {
    this.#program = program;
    this.#platform = platform;
    this.#tool = new PackageTool(platform, {
      causes,
      complaint: /^(ERROR|WARNING|\s+.*(no such package|required by|breaks|conflicts))/,
    });
    this.#answers = new AnswerCache(() => filesStamp(platform, choicePaths));
  }

  isVersion(installed: string, wanted: string): boolean {
    return meansVersion(installed, wanted);
  }

  async installed(): Promise<ReadonlyMap<string, PackageRecord>> {
    const records = new Map(await this.#database.get(this.#platform));
    const world = await this.#world.get(this.#platform);
    for (const [name, record] of records)
      if (world.get(name) === record.version) records.set(name, { ...record, held: true });
    return records;
  }

  async manual(): Promise<ReadonlySet<string>> {
    const world = parseWorld((await readText(this.#platform, worldPath)) ?? '');
    const records = await this.installed();
    return new Set([...world.keys()].filter((name) => records.has(name)));
  }

  /** apk only tells what is newer than what is installed. */
  async candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const newer = await this.upgradable();
    const records = await this.installed();
    const found = new Map<string, string>();
    for (const name of names) {
      const version = newer.get(name) ?? records.get(name)?.version;
      if (version !== undefined) found.set(name, version);
    }
    return found;
  }

  upgradable(): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get('newer', async () =>
      parseNewer(
        (await this.#tool.ask([this.#program, '--no-network', 'version', '-l', '<'])).stdout,
      ),
    );
  }

  refresh(options: PackageOperationOptions): Promise<void> {
    return this.#change(['update'], options);
  }

  async install(request: InstallRequest): Promise<void> {
    const installed = await this.installed();
    const { packages, flags } = request;
    refuseDowngrade(request, installed, comparable);
    const isUpgrade = (one: (typeof packages)[number]) =>
      one.version === undefined && installed.has(one.name);
    const upgrades = packages.filter(isUpgrade).map(({ name }) => name);
    const installs = packages
      .filter((one) => !isUpgrade(one))
      .map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
    if (installs.length > 0) await this.#change(['add', ...flags, '--', ...installs], request);
    if (upgrades.length > 0)
      await this.#change(['add', '--upgrade', ...flags, '--', ...upgrades], request);
    if (request.reinstall)
      await this.#change(['fix', '--', ...packages.map(({ name }) => name)], request);
  }

  upgradeAll(options: PackageOperationOptions): Promise<void> {
    return this.#change(['upgrade', ...options.flags], options);
  }

  /** apk only takes a wanted package off its list when others need it, and calls that a success. */
  remove({ names, purge, flags, ...options }: RemoveRequest): Promise<void> {
    const words = ['del', ...(purge ? ['--purge'] : []), ...flags, '--', ...names];
    return this.#tool.exclusively(async () => {
      const result = await this.#tool.change(this.#command(words), { ...options, flags });
      if (/not removed due to/.test(`${result.stdout}${result.stderr}`))
        throw this.#tool.failure(result);
    });
  }

  async hold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    const installed = await this.installed();
    const pins = names.flatMap((name) => {
      const record = installed.get(name);
      return record === undefined ? [] : [`${name}=${record.version}`];
    });
    if (pins.length > 0) await this.#change(['add', '--', ...pins], options);
  }

  unhold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#change(['add', '--', ...names], options);
  }

  /** apk removes what nothing needs with every change. */
  async removeUnneeded(): Promise<void> {}

  #change(words: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#tool.exclusively(async () => {
      await this.#tool.change(this.#command(words), options);
    });
  }

  #command([verb, ...rest]: readonly string[]): [string, ...string[]] {
    return [this.#program, '--no-progress', '--wait', lockWaitSeconds, verb!, ...rest];
  }
}
