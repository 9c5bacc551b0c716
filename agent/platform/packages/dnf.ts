import { AgentError } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import { fileStamp, readText } from '../text-file.ts';
import { AnswerCache, filesStamp, listNames } from './answer-cache.ts';
import { lockPaths, type PackageLocks, parseLocks } from './dnf-locks.ts';
import { type FailureCauses, machineTrouble } from './package-failure.ts';
import type {
  InstallRequest,
  PackageManager,
  PackageOperationOptions,
  PackageRecord,
  RemoveRequest,
} from './package-manager.ts';
import { PackageTool } from './package-tool.ts';
import { parseVersionLines, RpmDatabase, rpmDatabasePaths } from './rpm-database.ts';
import { meansVersion, refuseDowngrade } from './version-order.ts';

const causes: FailureCauses = [
  [
    'AGENT_PACKAGE_LOCKED',
    [
      /Waiting for process with pid/,
      /lock is held by|Another app is currently holding/i,
      /can't create transaction lock/,
    ],
  ],
  ...machineTrouble,
  ['AGENT_PACKAGE_HOLD', [/No such command: versionlock|Unknown argument "versionlock"/]],
  [
    'AGENT_PACKAGE_REPOSITORY',
    [
      /Failed to download metadata|Cannot download|Cannot prepare internal mirrorlist/,
      /All mirrors were (already )?tried|Curl error/,
      /GPG check FAILED|is not signed|Public key for .* is not installed|GPG signature/i,
      /checking of packages via GPG keys/,
      /(checksum|Package) doesn't match|repomd\.xml .*(error|fail)/i,
      /no enabled repositories|There are no enabled repos/i,
    ],
  ],
  [
    'AGENT_PACKAGE_UNKNOWN',
    [/Unable to find a match/, /No match for argument/, /No package .* available/],
  ],
];

/** Where dnf 4, dnf 5 and yum keep the lists of repositories. */
const cacheDirectories = ['/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/yum'];
const choicePaths = [
  ...rpmDatabasePaths,
  ...lockPaths,
  '/etc/yum.repos.d',
  '/etc/dnf/dnf.conf',
  '/etc/yum.conf',
];

/** dnf 4 and 5, and yum where it is a name of dnf. Lists are only fetched by changes. */
export class DnfManager implements PackageManager {
  readonly name: 'dnf' | 'yum';
  readonly #program: string;
  readonly #platform: Platform;
  readonly #tool: PackageTool;
  readonly #database: RpmDatabase;
  readonly #answers: AnswerCache;

  constructor(platform: Platform, name: 'dnf' | 'yum' = 'dnf') {
    this.name = name;
    this.#program = `/usr/bin/${name}`;
    this.#platform = platform;
    this.#tool = new PackageTool(platform, {
      causes,
      complaint: /^(Error|error|No match|Failed to|Problem|\s+- )/,
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
      if (locks.get(record.name)?.has(record.version)) records.set(key, { ...record, held: true });
    return records;
  }

  async manual(): Promise<ReadonlySet<string>> {
    const words = ['repoquery', '--userinstalled', '--qf', '%{name}\n'];
    const answer = await this.#tool.ask([this.#program, '-q', '-C', ...words]);
    return new Set(answer.stdout.split('\n').filter((line) => line !== ''));
  }

  candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#query(['--latest-limit=1', ...names.map((name) => specification(name))]);
  }

  upgradable(): Promise<ReadonlyMap<string, string>> {
    return this.#query(['--upgrades', '--latest-limit=1']);
  }

  refresh(options: PackageOperationOptions): Promise<void> {
    const words = ['--setopt=*.skip_if_unavailable=False', 'makecache', '--refresh'];
    return this.#change(words, options);
  }

  async install(request: InstallRequest): Promise<void> {
    const installed = await this.installed();
    refuseDowngrade(request, installed);
    const { packages, flags } = request;
    const isUpgrade = (one: (typeof packages)[number]) =>
      one.version === undefined && installed.has(one.name);
    const upgrades = packages.filter(isUpgrade).map(({ name }) => specification(name));
    const installs = packages
      .filter((one) => !isUpgrade(one))
      .map(({ name, version }) => specification(name, version));
    if (request.changeHeld)
      await this.unhold(
        packages.map(({ name }) => name),
        request,
      );
    if (installs.length > 0) await this.#change(['install', ...flags, '--', ...installs], request);
    if (upgrades.length > 0) await this.#change(['upgrade', ...flags, '--', ...upgrades], request);
  }

  upgradeAll(options: PackageOperationOptions): Promise<void> {
    return this.#change(['upgrade', ...options.flags], options);
  }

  /** rpm keeps edited configuration files as .rpmsave, whatever is asked for: there is no purge. */
  async remove(request: RemoveRequest): Promise<void> {
    const names = request.names.map((name) => specification(name));
    await this.unhold(request.names, request);
    await this.#change(['remove', ...request.flags, '--', ...names], request);
  }

  /** A name alone would hold every version that is on offer, so the installed one is named. */
  async hold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    const installed = await this.installed();
    const wanted = names.flatMap((name) => {
      const record = installed.get(name);
      return record === undefined || record.held ? [] : [record];
    });
    if (wanted.length === 0) return;
    await this.unhold(
      wanted.map(({ name }) => name),
      options,
    );
    const exact = wanted.map(({ name, version }) => `${name}-${version}`);
    await this.#change(['versionlock', 'add', ...exact], options);
  }

  async unhold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    const locks = await this.#locks();
    const plain = names.map((name) => name.replace(/:[^:]*$/, ''));
    const locked = plain.filter((name) => locks.has(name));
    if (locked.length > 0) await this.#change(['versionlock', 'delete', ...locked], options);
  }

  removeUnneeded(options: PackageOperationOptions): Promise<void> {
    return this.#change(['autoremove'], options);
  }

  async #locks(): Promise<PackageLocks> {
    const texts = await Promise.all(lockPaths.map((path) => readText(this.#platform, path)));
    return parseLocks(texts.filter((text) => text !== undefined));
  }

  #change(words: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#tool.exclusively(async () => {
      await this.#tool.change([this.#program, '-y', ...words], options);
    });
  }

  /** From the lists on the node (-C); a node that has none yet offers nothing. */
  #query(words: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get(words.join('\0'), async () => {
      const format = '%{name}\t%{epoch}:%{version}-%{release}\n';
      const query = ['repoquery', '--qf', format, ...words];
      try {
        return parseVersionLines(
          (await this.#tool.ask([this.#program, '-q', '-C', ...query])).stdout,
        );
      } catch (error) {
        if (error instanceof AgentError && /no cache for|cache-only/i.test(error.message))
          return new Map();
        throw error;
      }
    });
  }

  async #stamp(): Promise<string> {
    const caches = await Promise.all(cacheDirectories.map((path) => this.#cacheStamp(path)));
    return [await filesStamp(this.#platform, choicePaths), ...caches].join('\n');
  }

  /** Not of the directory itself: dnf writes into it whenever it is asked something. */
  async #cacheStamp(directory: string): Promise<string> {
    const names = await listNames(this.#platform, directory);
    const stamps = names.map((name) =>
      fileStamp(this.#platform, `${directory}/${name}/repodata/repomd.xml`),
    );
    return (await Promise.all(stamps)).join(' ');
  }
}

/** "name:architecture" of a declaration as dnf writes it: "name-version.architecture". */
function specification(declared: string, version?: string): string {
  const [name, architecture] = declared.split(':');
  const end = architecture === undefined ? '' : `.${architecture}`;
  return `${name}${version === undefined ? '' : `-${version}`}${end}`;
}
