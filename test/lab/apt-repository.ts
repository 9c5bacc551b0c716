import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { LabHost } from './lab.ts';

export interface TestPackage {
  readonly name: string;
  readonly version: string;
  readonly depends?: string;
  /** Absolute path -> content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Those of `files` that the administrator may edit. */
  readonly configuration?: readonly string[];
  /** Maintainer scripts: "postinst", "prerm", ... */
  readonly scripts?: Readonly<Record<string, string>>;
}

export const repositoryInHost = '/srv/apt';

/**
 * Builds the packages and makes them and the finished ones (files of this machine), and nothing
 * else, what the host's apt can install.
 */
export async function publishPackages(
  host: LabHost,
  packages: readonly TestPackage[],
  finished: readonly string[] = [],
): Promise<void> {
  const repository = makeRepository(packages, finished);
  try {
    rmSync(join(host.root, repositoryInHost), { recursive: true, force: true });
    host.copyIn(repository, repositoryInHost);
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
  useRepository(host);
}

/** A flat repository in a new directory, to be shared with hosts at `repositoryInHost`. */
export function makeRepository(
  packages: readonly TestPackage[],
  finished: readonly string[] = [],
): string {
  const repository = mkdtempSync(join(tmpdir(), 'vigo-apt-'));
  chmodSync(repository, 0o755);
  const work = mkdtempSync(join(tmpdir(), 'vigo-apt-'));
  try {
    for (const one of packages) build(one, work, repository);
    for (const file of finished) copyFileSync(file, join(repository, basename(file)));
    writeFileSync(join(repository, 'Packages'), index(repository));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return repository;
}

/** Makes the repository at `repositoryInHost` all that the host's apt knows. */
export function useRepository(host: LabHost): void {
  rmSync(join(host.root, 'etc/apt/sources.list'), { force: true });
  writeFileSync(
    join(host.root, 'etc/apt/sources.list.d/lab.list'),
    `deb [trusted=yes] copy:${repositoryInHost} ./\n`,
  );
  // A lab host outlives no power cut, and waiting for the disk is most of an installation.
  mkdirSync(join(host.root, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
  writeFileSync(join(host.root, 'etc/dpkg/dpkg.cfg.d/lab'), 'force-unsafe-io\n');
}

function build(one: TestPackage, work: string, repository: string): void {
  const root = mkdtempSync(join(work, 'package-'));
  chmodSync(root, 0o755);
  const control = [
    `Package: ${one.name}`,
    `Version: ${one.version}`,
    'Architecture: all',
    'Maintainer: Lab <lab@example.org>',
    ...(one.depends === undefined ? [] : [`Depends: ${one.depends}`]),
    'Description: made by a test',
    '',
  ].join('\n');
  write(root, '/DEBIAN/control', control);
  for (const [path, content] of Object.entries(one.files ?? {})) write(root, path, content);
  for (const [name, content] of Object.entries(one.scripts ?? {})) {
    write(root, `/DEBIAN/${name}`, content);
    chmodSync(join(root, 'DEBIAN', name), 0o755);
  }
  if (one.configuration !== undefined)
    write(root, '/DEBIAN/conffiles', `${one.configuration.join('\n')}\n`);
  const file = join(repository, `${one.name}_${one.version.replace(':', '%3a')}_all.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '-b', root, file], { stdio: 'ignore' });
}

function write(root: string, path: string, content: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** The Packages file of a flat repository (deb822). */
function index(repository: string): string {
  return readdirSync(repository)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => {
      const file = join(repository, name);
      const control = execFileSync('dpkg-deb', ['-f', file], { encoding: 'utf8' }).trimEnd();
      const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
      return `${control}\nFilename: ./${name}\nSize: ${statSync(file).size}\nSHA256: ${sum}\n`;
    })
    .join('\n');
}
