import { AgentError } from '../../errors.ts';
import { type FailureCauses, machineTrouble } from '../../platform/packages/package-failure.ts';
import type { Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { pipSchema } from '../../policy/resource-schemas/pip.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { ResourceContext } from '../contract.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from '../unix/tool.ts';
import {
  findProgram,
  type Installed,
  type LanguagePackage,
  languagePackageType,
  readLanguagePackage,
  runManager,
  toldVersion,
} from './language-package.ts';

export interface PipSpec extends LanguagePackage {
  readonly virtualenv: string | undefined;
}

const causes: FailureCauses = [
  ...machineTrouble,
  ['AGENT_PIP_EXTERNALLY_MANAGED', [/externally-managed-environment/]],
  [
    'AGENT_INDEX_UNREACHABLE',
    [
      /NewConnectionError|Connection(Reset)?Error|Connection refused|Could not fetch URL/,
      /ReadTimeoutError|Temporary failure in name resolution|SSLError|HTTP error/,
      /There was a problem confirming the ssl certificate/,
    ],
  ],
  [
    'AGENT_PACKAGE_UNKNOWN',
    [/No matching distribution found|Could not find a version that satisfies/],
  ],
];
const run = {
  causes,
  complaint: /^(ERROR|error|WARNING: Retrying)/,
  environment: { PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
};
const venvTimeoutMs = 300_000;
const scriptLimit = 64 * 1024;
const entryLimit = 20_000;

/** Python packages. What is installed is told by the names of *.dist-info and *.egg-info. */
export const pipType = languagePackageType<PipSpec>({
  name: 'pip',
  parameters: pipSchema.parameters,
  parse,
  place: ({ virtualenv, program }) => virtualenv ?? program,
  installed,
  newest,
  install,
  remove: async (spec, context) => {
    const words = ['uninstall', '--yes', ...systemFlag(spec), '--', bare(spec.name)];
    await runManager([await pip(spec, context.platform), ...words], run, context);
  },
  targets: ({ virtualenv }) =>
    virtualenv === undefined ? [] : [{ kind: 'path', value: virtualenv, effect: 'write' }],
});

function parse(values: Readonly<Record<string, PolicyValue>>): PipSpec {
  const reader = new ParameterReader(pipSchema.parameters, values);
  const program = reader.text('pip_cmd') ?? 'pip3';
  const common = readLanguagePackage(reader, reader.text('package') ?? '', program);
  const virtualenv =
    reader.text('virtualenv') === undefined ? undefined : readPath(reader, 'virtualenv');
  if (virtualenv !== undefined && program.includes('/'))
    reader.problem('pip_cmd', 'must be a name within the virtual environment');
  reader.finish();
  return { ...common, virtualenv };
}

/** Without extras. */
function bare(name: string): string {
  return name.replace(/\[.*$/, '');
}

/** Names that pip takes for the same (PEP 503). */
function canonical(name: string): string {
  return bare(name)
    .toLowerCase()
    .replace(/[-_.]+/g, '-');
}

async function installed(spec: PipSpec, platform: Platform): Promise<Installed> {
  for (const site of await sites(spec, platform)) {
    const found = await inSite(site, canonical(spec.name), platform);
    if (found !== undefined) return found;
  }
  return { versions: [], broken: false };
}

/** The first directory of Python's path that has the package counts, as for Python. */
async function inSite(
  { path: site, distributed }: Site,
  name: string,
  { files }: Platform,
): Promise<Installed | undefined> {
  if ((await files.status(site))?.kind !== 'directory') return undefined;
  for (const entry of (await files.list(site)).slice(0, entryLimit)) {
    const match = /^(.+?)-(\d[^-]*).*\.(dist|egg)-info$/.exec(entry);
    if (match === null || canonical(match[1]!) !== name) continue;
    // pip writes RECORD last. A distribution's own packages may lack it.
    const own = match[3] === 'dist' && !distributed;
    const whole = !own || (await files.status(`${site}/${entry}/RECORD`)) !== undefined;
    return whole ? { versions: [match[2]!], broken: false } : { versions: [], broken: true };
  }
  return undefined;
}

/** A directory where packages lie. */
interface Site {
  /** Real path. */
  readonly path: string;
  /** Holds packages of the distribution only. */
  readonly distributed: boolean;
}

/** The directories where packages lie; none where there is no Python yet. */
async function sites(spec: PipSpec, platform: Platform): Promise<Site[]> {
  if (spec.virtualenv !== undefined) return libraries([spec.virtualenv], undefined, platform);
  const program = await findProgram(spec.program, platform);
  if (program === undefined) {
    if (spec.state === 'absent') return [];
    throw new AgentError('AGENT_COMMAND_MISSING', { detail: spec.program });
  }
  const interpreter = (await interpreterOf(program, platform)) ?? program;
  const prefix = interpreter.replace(/\/[^/]*\/[^/]*$/, '');
  const real = await platform.paths.resolve(interpreter, { followLast: true });
  const version = /python(\d+\.\d+)$/.exec(real)?.[1];
  if (prefix !== '/usr') return libraries([prefix], version, platform);
  const path = await platform.paths.resolve('/usr/lib/python3/dist-packages');
  const debian = { path, distributed: true };
  return [...(await libraries(['/usr/local', '/usr'], version, platform)), debian];
}

/** What the first line of a script names: `#!/usr/bin/python3`. */
async function interpreterOf(
  program: string,
  { files, paths }: Platform,
): Promise<string | undefined> {
  try {
    const bytes = await files.read(await paths.resolve(program, { followLast: true }), scriptLimit);
    return /^#!\s*(\/[^\s]*python[^\s/]*)/.exec(new TextDecoder().decode(bytes))?.[1];
  } catch (thrown) {
    if (thrown instanceof PlatformError && thrown.code === 'EFBIG') return undefined;
    throw thrown;
  }
}

async function libraries(
  prefixes: readonly string[],
  version: string | undefined,
  { files, paths }: Platform,
): Promise<Site[]> {
  const found: Site[] = [];
  for (const prefix of prefixes)
    for (const library of ['lib', 'lib64']) {
      const path = await paths.resolve(`${prefix}/${library}`);
      if ((await files.status(path))?.kind !== 'directory') continue;
      for (const name of await files.list(path)) {
        const own = /^python(\d+\.\d+)$/.exec(name)?.[1];
        if (own === undefined || (version !== undefined && own !== version)) continue;
        for (const kind of ['site-packages', 'dist-packages'])
          found.push({ path: `${path}/${name}/${kind}`, distributed: false });
      }
    }
  return found;
}

async function pip(spec: PipSpec, platform: Platform): Promise<string> {
  if (spec.virtualenv === undefined) return spec.program;
  return platform.paths.resolve(`${spec.virtualenv}/bin/${spec.program}`);
}

function systemFlag(spec: PipSpec): string[] {
  return spec.extraArgs.filter((one) => one === '--break-system-packages');
}

function indexWords({ source, extraArgs }: PipSpec): string[] {
  return [...(source === undefined ? [] : ['--index-url', source]), ...extraArgs];
}

async function newest(spec: PipSpec, context: ResourceContext): Promise<string> {
  const words = ['--dry-run', '--ignore-installed', '--no-deps', '--no-cache-dir', '--report', '-'];
  const program = await pip(spec, context.platform);
  const result = await runManager(
    [program, 'install', '--quiet', ...words, ...indexWords(spec), '--', bare(spec.name)],
    run,
    context,
  );
  return toldVersion(spec.name, reportedVersion(result.stdout));
}

/** From the report that pip prints as JSON. */
export function reportedVersion(report: string): string | undefined {
  try {
    const { install }: { install?: { metadata?: { version?: string } }[] } = JSON.parse(report);
    return install?.[0]?.metadata?.version;
  } catch {
    return undefined;
  }
}

async function install(
  spec: PipSpec,
  { version, force }: { version: string | undefined; force: boolean },
  context: ResourceContext,
): Promise<void> {
  await makeEnvironment(spec, context);
  const wanted = version === undefined ? spec.name : `${spec.name}==${version}`;
  const again = force ? ['--ignore-installed'] : [];
  const program = await pip(spec, context.platform);
  await runManager([program, 'install', ...again, ...indexWords(spec), '--', wanted], run, context);
}

/** A virtual environment whose pip is missing is made, or made whole. */
async function makeEnvironment(spec: PipSpec, context: ResourceContext): Promise<void> {
  const { files, paths } = context.platform;
  if (spec.virtualenv === undefined) return;
  const program = await pip(spec, context.platform);
  if ((await files.status(program)) !== undefined) return;
  const path = await paths.resolve(spec.virtualenv, { followLast: true });
  await mustRun(['python3', '-m', 'venv', '--', path], context, 'AGENT_COMMAND_FAILED', {
    timeoutMs: venvTimeoutMs,
  });
}
