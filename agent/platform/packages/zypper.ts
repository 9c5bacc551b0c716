import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { AnswerCache, filesStamp, listNames } from './answer-cache.ts';
import { type FailureCauses, machineTrouble } from './package-failure.ts';
import type {
  InstallRequest,
  PackageManager,
  PackageOperationOptions,
  PackageRecord,
  RemoveRequest,
} from './package-manager.ts';
import { PackageTool } from './package-tool.ts';
import { RpmDatabase, rpmDatabasePaths } from './rpm-database.ts';
import { meansVersion, refuseDowngrade } from './version-order.ts';
import {
  parseAliases,
  parseSearch,
  parseUnneeded,
  parseUpdates,
  parseZypperLocks,
} from './zypper-output.ts';

const causes: FailureCauses = [
  ['AGENT_PACKAGE_LOCKED', [/System management is locked/]],
  ...machineTrouble,
  [
    'AGENT_PACKAGE_REPOSITORY',
    [
      /Signature verification failed|is not signed|unknown key/i,
      /Problem retrieving|Failed to (retrieve|download)|Download .* failed/,
      /(is|are) not a? ?valid repositor|repository .* (is|seems) (invalid|broken)/i,
      /Could not refresh|Skipping repository|No repositories defined/,
      /Digest verification failed|Wrong digest/,
    ],
  ],
  ['AGENT_PACKAGE_UNKNOWN', [/No provider of '.*' found/, /Package '.*' not found/]],
];

const zypper = '/usr/bin/zypper';
const offline = [zypper, '--non-interactive', '--no-refresh'] as const;
const repositoryDirectory = '/etc/zypp/repos.d';
const rawDirectory = '/var/cache/zypp/raw';
const locksPath = '/etc/zypp/locks';
const automaticPath = '/var/lib/zypp/AutoInstalled';
/** "Nothing was found" is an answer. */
const nothingFound = 104;
const lockWaitSeconds = 3;

/** zypper on SUSE. Lists are only fetched by changes. */
export class ZypperManager implements PackageManager {
  readonly name = 'zypper';
  readonly #platform: Platform;
  readonly #tool: PackageTool;
  readonly #database: RpmDatabase;
  readonly #answers: AnswerCache;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#tool = new PackageTool(platform, {
      causes,
      complaint: /(Problem|No provider|failed|locked|not found|error|Specified|signature|lower)/i,
      environment: { ZYPP_LOCK_TIMEOUT: String(lockWaitSeconds) },
      // Patches wait, a reboot or a restart of zypper is advised: what was asked for is done.
      accepted: [100, 101, 102, 103],
    });
    this.#database = new RpmDatabase(platform, this.#tool);
    this.#answers = new AnswerCache(() => this.#stamp());
  }

  isVersion(installed: string, wanted: string): boolean {
    return meansVersion(installed, wanted);
  }

  async installed(): Promise<ReadonlyMap<string, PackageRecord>> {
    const records = new Map(await this.#database.installed());
    const locks = await this.#locks();
    for (const [key, record] of records)
      if (locks.has(record.name)) records.set(key, { ...record, held: true });
    return records;
  }

  async manual(): Promise<ReadonlySet<string>> {
    const text = (await readText(this.#platform, automaticPath)) ?? '';
    const automatic = new Set(text.split('\n'));
    const names = [...(await this.installed()).values()].map(({ name }) => name);
    return new Set(names.filter((name) => !automatic.has(name)));
  }

  /** What is installed counts as on offer, since zypper would not go below it. */
  async candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get(`newest\0${names.join('\0')}`, async () => {
      const words = ['search', '--details', '--match-exact', '--type', 'package'];
      return parseSearch(await this.#query(words, names));
    });
  }

  upgradable(): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get('updates', async () =>
      parseUpdates(await this.#query(['list-updates'], [])),
    );
  }

  refresh(options: PackageOperationOptions): Promise<void> {
    return this.#change(['refresh'], options);
  }

  async install(request: InstallRequest): Promise<void> {
    const { packages, flags } = request;
    refuseDowngrade(request, await this.installed());
    if (request.changeHeld)
      await this.unhold(
        packages.map(({ name }) => name),
        request,
      );
    const wanted = packages.map(({ name, version }) => specification(name, version));
    const options = request.allowDowngrade ? ['--oldpackage'] : [];
    const words = ['install', '--auto-agree-with-licenses', ...options, ...flags];
    await this.#change([...words, '--', ...wanted], request);
  }

  upgradeAll(options: PackageOperationOptions): Promise<void> {
    return this.#change(['update', '--auto-agree-with-licenses', ...options.flags], options);
  }

  /** rpm keeps edited configuration files as .rpmsave, whatever is asked for: there is no purge. */
  async remove(request: RemoveRequest): Promise<void> {
    await this.unhold(request.names, request);
    const names = request.names.map((name) => specification(name));
    await this.#change(['remove', ...request.flags, '--', ...names], request);
  }

  hold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#change(['addlock', ...names.map(plain)], options);
  }

  async unhold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    const locks = await this.#locks();
    const locked = names.map(plain).filter((name) => locks.has(name));
    if (locked.length > 0) await this.#change(['removelock', ...locked], options);
  }

  async removeUnneeded(options: PackageOperationOptions): Promise<void> {
    const table = await this.#tool.ask([...offline, 'packages', '--unneeded']);
    const names = parseUnneeded(table.stdout);
    if (names.length > 0) await this.#change(['remove', '--', ...names], options);
  }

  #change(words: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#tool.exclusively(async () => {
      await this.#tool.change([zypper, '--non-interactive', ...words], options);
    });
  }

  /** Asks only repositories whose lists are here: zypper fetches missing ones even so. */
  async #query(words: readonly string[], names: readonly string[]): Promise<string> {
    const fetched = new Set(await listNames(this.#platform, rawDirectory));
    const files = (await listNames(this.#platform, repositoryDirectory)).filter((name) =>
      name.endsWith('.repo'),
    );
    const texts = await Promise.all(
      files.map((name) => readText(this.#platform, `${repositoryDirectory}/${name}`)),
    );
    const aliases = texts.flatMap((text) => parseAliases(text ?? ''));
    const usable = aliases.filter((alias) => fetched.has(alias));
    if (usable.length === 0) return '';
    const repositories = usable.flatMap((alias) => ['--repo', alias]);
    const argv = [...offline, '--xmlout', ...words, ...repositories, ...names.map(plain)] as const;
    return (await this.#tool.ask(argv, [nothingFound])).stdout;
  }

  async #locks(): Promise<ReadonlySet<string>> {
    return parseZypperLocks((await readText(this.#platform, locksPath)) ?? '');
  }

  async #stamp(): Promise<string> {
    const fetched = await listNames(this.#platform, rawDirectory);
    const lists = fetched.map((name) => `${rawDirectory}/${name}/repodata`);
    const paths = [...rpmDatabasePaths, locksPath, repositoryDirectory, ...lists];
    return filesStamp(this.#platform, paths);
  }
}

function plain(declared: string): string {
  return declared.replace(/:[^:]*$/, '');
}

/** "name:architecture" of a declaration as zypper writes it: "name.architecture=version". */
function specification(declared: string, version?: string): string {
  const [name, architecture] = declared.split(':');
  const end = architecture === undefined ? '' : `.${architecture}`;
  return `${name}${end}${version === undefined ? '' : `=${version}`}`;
}
