import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { constants, createGzip } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { licensesAsset } from '../../agent/platform/program.ts';
import { agentVersion } from '../../agent/version.ts';
import { agentLicenses } from './agent-licenses.ts';

const project = new URL('../..', import.meta.url).pathname;
const postject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'));
/** Node looks for its embedded program under this name, and only when the fuse was flipped. */
const seaSection = 'NODE_SEA_BLOB';
const seaFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export const agentPlatforms = ['linux-x64', 'linux-arm64'] as const;
export type AgentPlatform = (typeof agentPlatforms)[number];

export interface AgentBuild {
  /** Where the files go; made when it is not there. */
  readonly directory: string;
  readonly platform: AgentPlatform;
  /** The program's own version unless told. */
  readonly version?: string;
  /** The Node that becomes the program; the one of the installed package unless told. */
  readonly runtime?: string;
  /** Also the smaller form; takes ten times as long. */
  readonly xz?: boolean;
  /** 1 (fast) to 9 (small). */
  readonly gzipLevel?: number;
}

/** What `<name>.json` says; `actors/server` serves it and the installer checks it. */
export interface AgentManifest {
  readonly version: string;
  readonly platform: string;
  /** Of the program, unpacked. */
  readonly bytes: number;
  readonly sha256: string;
}

/** The whole agent as one CommonJS text, which is what Node 22 can embed. */
export async function bundleAgent(version = agentVersion): Promise<string> {
  return (await bundleWithFiles(version)).text;
}

/** The bundle, and the files that it took text from, beneath the project. */
export async function bundleWithFiles(
  version = agentVersion,
): Promise<{ readonly text: string; readonly files: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(project, 'agent/main.ts')],
    bundle: true,
    write: false,
    metafile: true,
    absWorkingDir: project,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [agentSources(version)],
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {});
  const files = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  return { text: outputFiles[0]?.text ?? '', files };
}

function agentSources(version: string): Plugin {
  const load = (path: string): string => {
    if (path.endsWith('version.ts'))
      return `export const agentVersion = ${JSON.stringify(version)};`;
    // CommonJS has no await at the top.
    return readFileSync(path, 'utf8').replace(/^await /m, 'void ');
  };
  return {
    name: 'vigo-agent',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/agent\/(?:main|version)\.ts$/ }, ({ path }) => ({
        contents: load(path),
        loader: 'ts',
      }));
    },
  };
}

/** Builds the program of one platform and what a server serves of it. */
export async function buildAgent(wanted: AgentBuild): Promise<AgentManifest> {
  const { directory, platform, version = agentVersion } = wanted;
  const runtime = wanted.runtime ?? installedRuntime(platform);
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'vigo-build-agent-'));
  try {
    const program = join(work, 'vigo');
    const { text, files } = await bundleWithFiles(version);
    const licenses = agentLicenses(files, runtime);
    await embed({ text, licenses }, { runtime, program, work, platform });
    const name = `vigo-${version}-${platform}`;
    await compress(program, join(work, `${name}.gz`), wanted.gzipLevel ?? 9);
    const made = [`${name}.gz`];
    if (wanted.xz) {
      execFileSync('xz', ['-6', '-T0', '-k', program]);
      renameSync(`${program}.xz`, join(work, `${name}.xz`));
      made.push(`${name}.xz`);
    }
    const bytes = readFileSync(program);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const manifest = { version, platform, bytes: bytes.length, sha256 };
    writeFileSync(join(work, `${name}.json`), `${JSON.stringify(manifest)}\n`);
    // What refers to the others comes last, each as one step.
    for (const file of [...made, `${name}.json`]) replace(join(work, file), join(directory, file));
    return manifest;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Embedding {
  readonly runtime: string;
  readonly program: string;
  readonly work: string;
  readonly platform: AgentPlatform;
}

interface Embedded {
  readonly text: string;
  readonly licenses: string;
}

async function embed(content: Embedded, { runtime, program, work, platform }: Embedding) {
  const main = join(work, 'agent.cjs');
  const blob = join(work, 'agent.blob');
  const config = join(work, 'sea.json');
  const licenses = join(work, 'licenses.txt');
  const native = platform === `${process.platform}-${process.arch}`;
  writeFileSync(main, content.text);
  writeFileSync(licenses, content.licenses);
  // Compiled code is of one processor and one version of V8: of the Node that makes it.
  const useCodeCache = native && runtime === process.execPath;
  const settings = {
    main,
    output: blob,
    assets: { [licensesAsset]: licenses },
    disableExperimentalSEAWarning: true,
    useCodeCache,
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'pipe' });
  copyFileSync(runtime, program);
  chmodSync(program, 0o755);
  strip(program, platform);
  const words = [program, seaSection, blob, '--sentinel-fuse', seaFuse];
  execFileSync(process.execPath, [postject, ...words], { stdio: 'pipe' });
}

/** Symbols are a seventh of the size. A machine without the tool for that platform keeps them. */
function strip(program: string, platform: AgentPlatform): void {
  const tools = platform === 'linux-arm64' ? ['aarch64-linux-gnu-strip', 'llvm-strip'] : ['strip'];
  for (const tool of tools) if (spawnSync(tool, [program]).status === 0) return;
}

/** Node of the same version as this one, from the package of that platform. */
function installedRuntime(platform: AgentPlatform): string {
  if (platform === `${process.platform}-${process.arch}`) return process.execPath;
  const path = join(project, `node_modules/node-${platform}/bin/node`);
  if (existsSync(path)) return path;
  throw new Error(`no Node for ${platform}: name one with --runtime (see docs/install.md)`);
}

async function compress(from: string, to: string, level: number): Promise<void> {
  const gzip = createGzip({ level, strategy: constants.Z_DEFAULT_STRATEGY });
  await pipeline(createReadStream(from), gzip, createWriteStream(to));
}

/** The directories may be on different file systems. */
function replace(from: string, to: string): void {
  copyFileSync(from, `${to}.new`);
  if (statSync(`${to}.new`).size !== statSync(from).size) throw new Error(`${to} is cut short`);
  renameSync(`${to}.new`, to);
}
