import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { baseRoot, labDirectory } from './base.ts';
import { builtOnce } from './built-once.ts';

/**
 * The files (.deb) of these packages of Debian and of all that a lab host lacks to install them,
 * fetched from the archive once per machine.
 */
export function debianPackages(names: readonly string[]): string[] {
  const base = baseRoot();
  const recipe = JSON.stringify([basename(base), names]);
  const name = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const store = join(labDirectory(), `packages-${name}`);
  builtOnce(store, (work) => fetchPackages(base, names, work));
  return readdirSync(store)
    .filter((file) => file.endsWith('.deb'))
    .map((file) => join(store, file));
}

function fetchPackages(base: string, names: readonly string[], work: string): string {
  for (const path of ['lists/partial', 'archives/partial'])
    mkdirSync(join(work, path), { recursive: true });
  const options = [
    `Dir=${base}`,
    `Dir::State::lists=${join(work, 'lists')}`,
    `Dir::State::status=${join(base, 'var/lib/dpkg/status')}`,
    `Dir::Cache=${work}`,
    'Dir::Etc::trustedparts=/etc/apt/trusted.gpg.d',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const aptGet = (...words: string[]) =>
    execFileSync('apt-get', ['-qqy', ...options, ...words], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  aptGet('update');
  aptGet('install', '--no-install-recommends', '--download-only', ...names);
  return join(work, 'archives');
}
