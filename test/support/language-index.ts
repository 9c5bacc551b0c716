import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** An index of packages that the test made itself, on loopback. */
export interface LanguageIndex {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the files below a directory; a directory is its index.html. */
export async function serveIndex(directory: string): Promise<LanguageIndex> {
  const server = createServer((request, response) => {
    const path = join(directory, decodeURIComponent((request.url ?? '/').split('?')[0]!));
    const status = statSync(path, { throwIfNoEntry: false });
    const file = status?.isDirectory() ? join(path, 'index.html') : path;
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404).end('{}');
      return;
    }
    if (file.endsWith('.html')) response.setHeader('content-type', 'text/html');
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Wheels of "lab-hello" in the versions given, as a simple index for pip. */
export function makeWheels(directory: string, versions: readonly string[]): void {
  const links = versions.map((version) => {
    const work = join(directory, `wheel-${version}`);
    const info = join(work, `lab_hello-${version}.dist-info`);
    put(join(work, 'lab_hello.py'), `version = '${version}'\n`);
    put(join(info, 'METADATA'), `Metadata-Version: 2.1\nName: lab-hello\nVersion: ${version}\n`);
    put(join(info, 'WHEEL'), 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
    put(join(info, 'RECORD'), ['lab_hello.py,,', ''].join('\n'));
    const name = `lab_hello-${version}-py3-none-any.whl`;
    const words = ['-m', 'zipfile', '-c', join(directory, name), 'lab_hello.py', info];
    execFileSync('/usr/bin/python3', words, { cwd: work });
    return `<a href="/${name}">${name}</a>`;
  });
  put(join(directory, 'lab-hello/index.html'), `<!DOCTYPE html><html>${links.join('\n')}</html>`);
}

/** Gems of "lab-hello" in the versions given, with the index that gem itself makes. */
export function makeGems(directory: string, versions: readonly string[]): void {
  mkdirSync(join(directory, 'gems'), { recursive: true });
  for (const version of versions) {
    const work = join(directory, `gem-${version}`);
    put(join(work, 'lib/lab_hello.rb'), `VERSION = '${version}'\n`);
    put(
      join(work, 'x.gemspec'),
      `Gem::Specification.new do |s|
  s.name = 'lab-hello'
  s.version = '${version}'
  s.summary = 'made by a test'
  s.author = 'lab'
  s.files = ['lib/lab_hello.rb']
end
`,
    );
    const output = join(directory, 'gems', `lab-hello-${version}.gem`);
    execFileSync('gem', ['build', '--silent', '--output', output, 'x.gemspec'], {
      cwd: work,
      stdio: 'ignore',
    });
  }
  execFileSync('gem', ['generate_index', '--silent', '--directory', directory], {
    stdio: 'ignore',
  });
}

/** Packages "lab-hello" in the versions given, as a registry for npm at `url`. */
export function makeNodePackages(
  directory: string,
  url: string,
  versions: readonly string[],
): void {
  const described = versions.map((version) => {
    const work = join(directory, `npm-${version}`);
    const manifest = { name: 'lab-hello', version, main: 'index.js' };
    put(join(work, 'package/package.json'), JSON.stringify(manifest));
    put(join(work, 'package/index.js'), `module.exports = '${version}';\n`);
    const file = join(directory, `lab-hello-${version}.tgz`);
    execFileSync('tar', ['-czf', file, '-C', work, 'package']);
    const sha512 = createHash('sha512').update(readFileSync(file)).digest('base64');
    const dist = { tarball: `${url}/lab-hello-${version}.tgz`, integrity: `sha512-${sha512}` };
    return [version, { ...manifest, dist }] as const;
  });
  const packument = {
    name: 'lab-hello',
    'dist-tags': { latest: versions.at(-1) },
    versions: Object.fromEntries(described),
  };
  put(join(directory, 'lab-hello'), JSON.stringify(packument));
}
