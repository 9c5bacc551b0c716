import { AgentError } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import { fileStamp, readText } from '../text-file.ts';
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
import {
  comparablePacman,
  isDependency,
  parseIgnored,
  parseLocalName,
  parsePacmanUpgrades,
  parseSyncList,
  withIgnored,
  withoutIgnored,
} from './pacman-files.ts';
import { meansVersion, refuseDowngrade } from './version-order.ts';

const causes: FailureCauses = [
  ['AGENT_PACKAGE_LOCKED', [/unable to lock database/]],
  ...machineTrouble,
  [
    'AGENT_PACKAGE_REPOSITORY',
    [
      /failed to synchronize|failed retrieving file|failed to retrieve/,
      /PGP signature|missing required signature|unknown trust|key .* (could not|is (unknown|disabled))/,
      /invalid or corrupted (package|database)|Unrecognized archive format/,
    ],
  ],
  ['AGENT_PACKAGE_UNKNOWN', [/target not found|could not find or read package/]],
];

const pacman = '/usr/bin/pacman';
const quiet = ['--noconfirm', '--noprogressbar'] as const;
const localDirectory = '/var/lib/pacman/local';
const syncDirectory = '/var/lib/pacman/sync';
const downloadDirectory = '/var/cache/pacman/pkg';
const configurationPath = '/etc/pacman.conf';
/** `pacman -Qu` and `-Qd` when there is none. */
const none = 1;

/**
 * pacman on Arch. What is installed is read from the names in its database. It offers one version of
 * a package only; an older one is taken from the packages that were downloaded before.
 */
export class PacmanManager implements PackageManager {
  readonly name = 'pacman';
  readonly #platform: Platform;
  readonly #tool: PackageTool;
  readonly #answers: AnswerCache;
  readonly #local: AnswerCache;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#tool = new PackageTool(platform, { causes, complaint: /^(error:|:: removing)/ });
    this.#local = new AnswerCache(() => fileStamp(platform, localDirectory));
    this.#answers = new AnswerCache(async () => {
      const local = await fileStamp(platform, localDirectory);
      return `${local} ${await filesStamp(platform, [syncDirectory, configurationPath])}`;
    });
  }

  isVersion(installed: string, wanted: string): boolean {
    return meansVersion(installed, wanted);
  }

  async installed(): Promise<ReadonlyMap<string, PackageRecord>> {
    const names = await this.#local.get('names', () => listNames(this.#platform, localDirectory));
    const ignored = parseIgnored(await this.#configuration());
    const records = new Map<string, PackageRecord>();
    for (const directory of names) {
      const one = parseLocalName(directory);
      if (one === undefined) continue;
      const held = ignored.has(one.name);
      records.set(one.name, { ...one, architecture: '', status: 'installed', held });
    }
    return records;
  }

  async manual(): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const { name, version } of (await this.installed()).values()) {
      const desc = await readText(this.#platform, `${localDirectory}/${name}-${version}/desc`);
      if (desc !== undefined && !isDependency(desc)) names.add(name);
    }
    return names;
  }

  async candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const all = await this.#answers.get('all', async () =>
      parseSyncList((await this.#tool.ask([pacman, '-Sl'])).stdout),
    );
    return new Map([...all].filter(([name]) => names.includes(name)));
  }

  upgradable(): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get('upgrades', async () =>
      parsePacmanUpgrades((await this.#tool.ask([pacman, '-Qu'], [none])).stdout),
    );
  }

  refresh(options: PackageOperationOptions): Promise<void> {
    return this.#change(['-Sy'], options);
  }

  async install(request: InstallRequest): Promise<void> {
    refuseDowngrade(request, await this.installed(), comparablePacman);
    if ((await listNames(this.#platform, syncDirectory)).length === 0) await this.refresh(request);
    const { packages, flags } = request;
    const offered = await this.candidates(packages.map(({ name }) => name));
    const isOffered = ({ name, version }: (typeof packages)[number]) =>
      version === undefined || meansVersion(offered.get(name) ?? '', version);
    const names = packages.filter(isOffered).map(({ name }) => name);
    const files = await Promise.all(
      packages
        .filter((one) => !isOffered(one))
        .map(({ name, version }) => this.#downloaded(name, version!, offered.get(name))),
    );
    if (names.length > 0) await this.#change(['-S', '--needed', ...flags, '--', ...names], request);
    if (files.length > 0) await this.#change(['-U', ...flags, '--', ...files], request);
  }

  upgradeAll(options: PackageOperationOptions): Promise<void> {
    return this.#change(['-Su', ...options.flags], options);
  }

  /** Refused while others need the package, as pacman does it; --cascade in flags takes them along. */
  async remove(request: RemoveRequest): Promise<void> {
    const { names, purge, flags } = request;
    await this.unhold(names);
    await this.#change([purge ? '-Rn' : '-R', ...flags, '--', ...names], request);
  }

  hold(names: readonly string[]): Promise<void> {
    return this.#edit((text) => withIgnored(text, names));
  }

  unhold(names: readonly string[]): Promise<void> {
    return this.#edit((text) => withoutIgnored(text, names));
  }

  async removeUnneeded(options: PackageOperationOptions): Promise<void> {
    const { stdout } = await this.#tool.ask([pacman, '-Qdtq'], [none]);
    const names = stdout.split('\n').filter((name) => name !== '');
    if (names.length > 0) await this.#change(['-Rs', '--', ...names], options);
  }

  #change(words: readonly string[], options: PackageOperationOptions): Promise<void> {
    const [operation, ...rest] = words;
    return this.#tool.exclusively(async () => {
      await this.#tool.change([pacman, operation!, ...quiet, ...rest], options);
    });
  }

  async #downloaded(name: string, version: string, offered: string | undefined): Promise<string> {
    const names = await listNames(this.#platform, downloadDirectory);
    const file = names.find((one) => {
      const built = /^(.+)-[^-]+\.pkg\.tar(\.\w+)?$/.exec(one)?.[1];
      const local = built === undefined ? undefined : parseLocalName(built);
      return local?.name === name && meansVersion(local.version, version);
    });
    if (file !== undefined) return `${downloadDirectory}/${file}`;
    throw new AgentError(
      'AGENT_PACKAGE_UNKNOWN',
      `${name} ${version} is not in ${downloadDirectory}; on offer is ${offered ?? 'none'}`,
    );
  }

  #edit(change: (text: string) => string): Promise<void> {
    return this.#tool.exclusively(async () => {
      const { paths, files } = this.#platform;
      const text = await this.#configuration();
      const changed = change(text);
      if (changed === text) return;
      const path = await paths.resolve(configurationPath, { followLast: true });
      // What an interrupted pass left behind.
      await files.removeTemporaries(path.slice(0, path.lastIndexOf('/')));
      await files.writeAtomic(path, new TextEncoder().encode(changed), {});
    });
  }

  async #configuration(): Promise<string> {
    return (await readText(this.#platform, configurationPath)) ?? '';
  }
}
