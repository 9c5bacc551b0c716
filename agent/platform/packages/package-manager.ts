/** One installed or partly installed package. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /**
   * installed; broken = an interrupted operation left it half done; configuration = removed, but
   * its configuration files are still there.
   */
  readonly status: 'installed' | 'broken' | 'configuration';
  /** Kept at its version by the administrator or by lock_version. */
  readonly held: boolean;
}

export interface PackageOperationOptions {
  /** Extra flags of the declaration, passed on as they are. */
  readonly flags: readonly string[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface InstallRequest extends PackageOperationOptions {
  /** Names with the exact version wanted, or undefined for the newest one. */
  readonly packages: readonly { readonly name: string; readonly version?: string | undefined }[];
  readonly allowDowngrade: boolean;
  readonly changeHeld: boolean;
  /** Unpack again even when the version is right, after an interrupted operation. */
  readonly reinstall: boolean;
}

export interface RemoveRequest extends PackageOperationOptions {
  readonly names: readonly string[];
  readonly purge: boolean;
}

/**
 * What the executor needs of apt, dnf, zypper, ... Reads never use the network and do not fork when
 * nothing changed since the last one. Failures are AgentErrors with the code of their cause.
 */
export interface PackageManager {
  readonly name: string;
  /** Installed packages by name and by "name:architecture". */
  installed(): Promise<ReadonlyMap<string, PackageRecord>>;
  /** True when a package at version `installed` is what a declaration means by `wanted`. */
  isVersion(installed: string, wanted: string): boolean;
  /** Installed packages that somebody asked for, not those that came as dependencies. */
  manual(): Promise<ReadonlySet<string>>;
  /** The newest version that the present lists offer; unknown names are left out. */
  candidates(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Installed packages for which the present lists offer a newer version: name -> version. */
  upgradable(): Promise<ReadonlyMap<string, string>>;
  refresh(options: PackageOperationOptions): Promise<void>;
  install(request: InstallRequest): Promise<void>;
  upgradeAll(options: PackageOperationOptions): Promise<void>;
  remove(request: RemoveRequest): Promise<void>;
  hold(names: readonly string[], options: PackageOperationOptions): Promise<void>;
  unhold(names: readonly string[], options: PackageOperationOptions): Promise<void>;
  removeUnneeded(options: PackageOperationOptions): Promise<void>;
}
