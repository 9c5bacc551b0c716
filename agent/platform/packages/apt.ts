import { runTool } from '../command.ts';
import type { Platform, RunResult } from '../platform.ts';
import { Serial } from '../serial.ts';
import { fileStamp, ParsedFile, readText } from '../text-file.ts';
import { AnswerCache, filesStamp } from './answer-cache.ts';
import { aptFailure, wasInterrupted } from './apt-failure.ts';
import { parseAutomatic, parsePolicy, parseSimulation } from './apt-output.ts';
import { dpkgStatusPath, parseDpkgStatus } from './dpkg-database.ts';
import type {
  InstallRequest,
  PackageManager,
  PackageOperationOptions,
  PackageRecord,
  RemoveRequest,
} from './package-manager.ts';

const extendedStatesPath = '/var/lib/apt/extended_states';
const listsDirectory = '/var/lib/apt/lists';
const queryOutputLimit = 4 * 1024 * 1024;

const environment = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_SUSPEND: '1',
};

/** Never asks, keeps edited configuration files, and does not wait long for another program. */
const commonOptions = [
  '-q',
  '-y',
  '-o',
  'DPkg::Lock::Timeout=3',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
  '-o',
  'Dpkg::Use-Pty=0',
];

/** Files that decide what apt would choose, besides the lists themselves. */
const choicePaths = [
  dpkgStatusPath,
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d',
  '/etc/apt/preferences',
  '/etc/apt/preferences.d',
];

/**
 * apt and dpkg. Changes run one after another, since dpkg has one lock; reads of versions are
 * answered from memory until a file that decides them changes.
 */
export class AptManager implements PackageManager {
  readonly name = 'apt';
  readonly #platform: Platform;
  readonly #changes = new Serial();
  readonly #database = new ParsedFile(dpkgStatusPath, parseDpkgStatus);
  readonly #answers: AnswerCache;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#answers = new AnswerCache(async () => {
      const lists = await fileStamp(platform, listsDirectory);
      return `${lists} ${await filesStamp(platform, choicePaths)}`;
    });
  }

  installed(): Promise<ReadonlyMap<string, PackageRecord>> {
    return this.#database.get(this.#platform);
  }

  isVersion(installed: string, wanted: string): boolean {
    return installed === wanted;
  }

  /** What apt itself installed for others is marked in its extended states (apt-mark(8)). */
  async manual(): Promise<ReadonlySet<string>> {
    const automatic = parseAutomatic((await readText(this.#platform, extendedStatesPath)) ?? '');
    const installed = [...(await this.installed()).values()];
    return new Set(
      installed
        .filter(({ status, name }) => status === 'installed' && !automatic.has(name))
        .map(({ name }) => name),
    );
  }

  candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#answer(['/usr/bin/apt-cache', 'policy', '--', ...names], parsePolicy);
  }

  upgradable(): Promise<ReadonlyMap<string, string>> {
    return this.#answer(
      ['/usr/bin/apt-get', '-s', '-q', '-o', 'Debug::NoLocking=1', 'upgrade', '--with-new-pkgs'],
      parseSimulation,
    );
  }

  refresh(options: PackageOperationOptions): Promise<void> {
    return this.#changes.run(() => this.#refresh(options));
  }

  install(request: InstallRequest): Promise<void> {
    return this.#changes.run(async () => {
      if (!(await this.#hasLists())) await this.#refresh(request);
      const wanted = request.packages.map((one) =>
        one.version === undefined ? one.name : `${one.name}=${one.version}`,
      );
      await this.#change(
        [
          'install',
          ...(request.allowDowngrade ? ['--allow-downgrades'] : []),
          ...(request.changeHeld ? ['--allow-change-held-packages'] : []),
          ...(request.reinstall ? ['--reinstall'] : []),
          ...request.flags,
          '--',
          ...wanted,
        ],
        request,
      );
    });
  }

  upgradeAll(options: PackageOperationOptions): Promise<void> {
    return this.#changes.run(() =>
      this.#change(['upgrade', '--with-new-pkgs', ...options.flags], options),
    );
  }

  remove(request: RemoveRequest): Promise<void> {
    const verb = request.purge ? 'purge' : 'remove';
    return this.#changes.run(() =>
      this.#change(
        [verb, '--allow-change-held-packages', ...request.flags, '--', ...request.names],
        request,
      ),
    );
  }

  hold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#changes.run(() => this.#mark('hold', names, options));
  }

  unhold(names: readonly string[], options: PackageOperationOptions): Promise<void> {
    return this.#changes.run(() => this.#mark('unhold', names, options));
  }

  removeUnneeded(options: PackageOperationOptions): Promise<void> {
    return this.#changes.run(() => this.#change(['autoremove'], options));
  }

  async #refresh(options: PackageOperationOptions): Promise<void> {
    const argv = ['-o', 'APT::Update::Error-Mode=any', 'update'];
    const result = await this.#run(['/usr/bin/apt-get', ...commonOptions, ...argv], options);
    if (result.exitCode !== 0) throw aptFailure(result);
  }

  /** A machine that never fetched its lists can install nothing, so the first install does it. */
  async #hasLists(): Promise<boolean> {
    const path = await this.#platform.paths.resolve(listsDirectory, { followLast: true });
    if ((await this.#platform.files.status(path)) === undefined) return false;
    const names = await this.#platform.files.list(path);
    return names.some((name) => /_Packages(\.|$)/.test(name));
  }

  /** After a killed dpkg the first attempt says so; then its work is finished and ours repeated. */
  async #change(argv: readonly string[], options: PackageOperationOptions): Promise<void> {
    const command = ['/usr/bin/apt-get', ...commonOptions, ...argv] as const;
    let result = await this.#run(command, options);
    if (result.exitCode !== 0 && wasInterrupted(result)) {
      await this.#run(
        ['/usr/bin/dpkg', '--force-confdef', '--force-confold', '--configure', '-a'],
        options,
      );
      result = await this.#run(command, options);
    }
    if (result.exitCode !== 0) throw aptFailure(result);
  }

  async #mark(verb: string, names: readonly string[], options: PackageOperationOptions) {
    const result = await this.#run(['/usr/bin/apt-mark', verb, '--', ...names], options);
    if (result.exitCode !== 0) throw aptFailure(result);
  }

  #run(argv: readonly [string, ...string[]], options: PackageOperationOptions): Promise<RunResult> {
    return runTool(this.#platform, argv, {
      environment,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    });
  }

  #answer(
    argv: readonly [string, ...string[]],
    parse: (text: string) => ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, string>> {
    return this.#answers.get(argv.join('\0'), async () => {
      const result = await runTool(this.#platform, argv, { outputLimit: queryOutputLimit });
      if (result.exitCode !== 0) throw aptFailure(result);
      return parse(result.stdout);
    });
  }
}
