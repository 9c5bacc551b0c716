import { AgentError } from '../../errors.ts';
import { type FailureCauses, machineTrouble } from '../../platform/packages/package-failure.ts';
import type { Platform } from '../../platform/platform.ts';
import { gemSchema } from '../../policy/resource-schemas/gem.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { ResourceContext } from '../contract.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import {
  findProgram,
  type Installed,
  type LanguagePackage,
  languagePackageType,
  type ManagerRun,
  readLanguagePackage,
  runManager,
  toldVersion,
} from './language-package.ts';

export interface GemSpec extends LanguagePackage {
  /** Declared path. */
  readonly installDirectory: string | undefined;
}

const causes: FailureCauses = [
  ...machineTrouble,
  [
    'AGENT_INDEX_UNREACHABLE',
    [/Unable to download data|Errno::E|SocketError|bad response|SSL_connect|Net::/],
  ],
  ['AGENT_PACKAGE_UNKNOWN', [/Could not find a valid gem|Gem '.*' is not installed/]],
];
const run = { causes, complaint: /^(ERROR|Error|error)/ };
const entryLimit = 20_000;

/** Where the Rubies of Debian, Red Hat and their own builds keep gems; "*" is a version of Ruby. */
const systemPlaces = [
  '/var/lib/gems/*',
  '/usr/local/lib/ruby/gems/*',
  '/usr/lib/ruby/gems/*',
  '/usr/lib64/ruby/gems/*',
  '/usr/local/share/gems',
  '/usr/share/gems',
  '/usr/share/rubygems-integration/*',
];

/** Gems. What is installed is told by the names in `specifications`, which gem writes last. */
export const gemType = languagePackageType<GemSpec>({
  name: 'gem',
  parameters: gemSchema.parameters,
  parse,
  place: ({ installDirectory, program }) => installDirectory ?? program,
  installed,
  newest,
  install: async (spec, { version, force }, context) => {
    const words = [
      'install',
      '--no-document',
      ...(force ? ['--force'] : []),
      ...(version === undefined ? [] : ['--version', version]),
      ...sourceWords(spec),
      ...spec.extraArgs,
    ];
    const told = await within(spec, context.platform);
    await runManager([spec.program, ...words, spec.name], told, context);
  },
  remove: async (spec, context) => {
    const which = spec.version === undefined ? ['--all'] : ['--version', spec.version];
    const words = ['uninstall', '--executables', '--ignore-dependencies', ...which];
    const told = await within(spec, context.platform);
    await runManager([spec.program, ...words, spec.name], told, context);
  },
  targets: ({ installDirectory }) =>
    installDirectory === undefined
      ? []
      : [{ kind: 'path', value: installDirectory, effect: 'write' }],
});

function parse(values: Readonly<Record<string, PolicyValue>>): GemSpec {
  const reader = new ParameterReader(gemSchema.parameters, values);
  const program = reader.text('gem_cmd') ?? 'gem';
  const common = readLanguagePackage(reader, reader.text('package') ?? '', program);
  const given = reader.text('install_dir') !== undefined;
  const installDirectory = given ? readPath(reader, 'install_dir') : undefined;
  reader.finish();
  return { ...common, installDirectory };
}

async function installed(spec: GemSpec, platform: Platform): Promise<Installed> {
  const versions = new Set<string>();
  for (const place of await places(spec, platform))
    for (const entry of await entries(`${place}/specifications`, platform)) {
      const version = gemVersion(entry, spec.name);
      if (version !== undefined) versions.add(version);
    }
  return { versions: [...versions], broken: false };
}

/** Of "name-1.2.3.gemspec" or "name-1.2.3-x86_64-linux.gemspec"; undefined for another gem. */
export function gemVersion(entry: string, name: string): string | undefined {
  if (!entry.startsWith(`${name}-`)) return undefined;
  return /^(\d[0-9A-Za-z.]*)(?:-[0-9A-Za-z_.-]+)?\.gemspec$/.exec(
    entry.slice(name.length + 1),
  )?.[1];
}

async function places(spec: GemSpec, platform: Platform): Promise<string[]> {
  if (spec.installDirectory !== undefined) return [spec.installDirectory];
  const program = await findProgram(spec.program, platform);
  if (program === undefined && spec.state !== 'absent')
    throw new AgentError('AGENT_COMMAND_MISSING', { detail: spec.program });
  const prefix = /^(\/.+)\/[^/]+\/[^/]+$/.exec(spec.program)?.[1];
  const own = prefix === undefined ? systemPlaces : [`${prefix}/lib/ruby/gems/*`];
  const found: string[] = [];
  for (const place of own) {
    if (!place.endsWith('/*')) found.push(place);
    else
      for (const name of await entries(place.slice(0, -2), platform))
        found.push(`${place.slice(0, -1)}${name}`);
  }
  return found;
}

async function entries(declared: string, { files, paths }: Platform): Promise<string[]> {
  const path = await paths.resolve(declared, { followLast: true });
  if ((await files.status(path))?.kind !== 'directory') return [];
  return (await files.list(path)).slice(0, entryLimit);
}

function sourceWords({ source }: GemSpec): string[] {
  return source === undefined ? [] : ['--clear-sources', '--source', source];
}

/** `--install-dir` would do, but gem uninstall does not look there. */
async function within({ installDirectory }: GemSpec, { paths }: Platform): Promise<ManagerRun> {
  if (installDirectory === undefined) return run;
  const GEM_HOME = await paths.resolve(installDirectory, { followLast: true });
  return { ...run, environment: { GEM_HOME } };
}

/** From a line such as "rack (3.0.8)" or "nokogiri (1.15.4 ruby java)". */
async function newest(spec: GemSpec, context: ResourceContext): Promise<string> {
  const words = ['list', '--remote', '--exact', ...sourceWords(spec)];
  const { stdout } = await runManager([spec.program, ...words, spec.name], run, context);
  const line = stdout.split('\n').find((one) => one.startsWith(`${spec.name} (`));
  return toldVersion(spec.name, /\(([^\s,)]+)/.exec(line ?? '')?.[1]);
}
