import { asText } from '../../converge/diff.ts';
import { AgentError } from '../../errors.ts';
import { type FailureCauses, machineTrouble } from '../../platform/packages/package-failure.ts';
import type { Platform } from '../../platform/platform.ts';
import { npmSchema } from '../../policy/resource-schemas/npm.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import {
  type Installed,
  type LanguagePackage,
  languagePackageType,
  readLanguagePackage,
  runManager,
  toldVersion,
} from './language-package.ts';

export interface NpmSpec extends LanguagePackage {
  /** Declared path of a project's directory, or of the prefix of global packages. */
  readonly directory: string;
  readonly global: boolean;
}

const causes: FailureCauses = [
  ...machineTrouble,
  ['AGENT_PACKAGE_UNKNOWN', [/code (E404|ETARGET|ENOVERSIONS)/]],
  [
    'AGENT_INDEX_UNREACHABLE',
    [
      /code (ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EINTEGRITY|E401|E403|E5\d\d)/,
      /code (CERT_\w+|\w*SIGNED_CERT\w*|ERR_SOCKET_TIMEOUT|FETCH_ERROR)/,
    ],
  ],
];
const run = {
  causes,
  complaint: /^npm (ERR!|error)/,
  environment: {
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_logs_max: '0',
    npm_config_loglevel: 'error',
  },
};
const packageFileLimit = 1024 * 1024;

/** Packages of Node.js. What is installed is told by package.json below node_modules. */
export const npmType = languagePackageType<NpmSpec>({
  name: 'npm',
  parameters: npmSchema.parameters,
  parse,
  place: ({ directory }) => directory,
  installed,
  newest: async (spec, context) => {
    const words = ['view', ...sourceWords(spec), '--json', `${spec.name}@latest`, 'version'];
    const { stdout } = await runManager([spec.program, ...words], run, context);
    return toldVersion(spec.name, parsedVersion(stdout));
  },
  install: async (spec, { version, force }, context) => {
    const words = ['install', ...(await placeWords(spec, context.platform)), ...sourceWords(spec)];
    const again = force ? ['--force'] : [];
    const wanted = `${spec.name}@${version ?? 'latest'}`;
    await runManager([spec.program, ...words, ...again, ...spec.extraArgs, wanted], run, context);
  },
  remove: async (spec, context) => {
    const words = ['uninstall', ...(await placeWords(spec, context.platform))];
    await runManager([spec.program, ...words, spec.name], run, context);
  },
  targets: (spec) => [{ kind: 'path', value: modules(spec), effect: 'write' }],
});

function parse(values: Readonly<Record<string, PolicyValue>>): NpmSpec {
  const reader = new ParameterReader(npmSchema.parameters, values);
  const program = reader.text('npm_cmd') ?? 'npm';
  const common = readLanguagePackage(reader, reader.text('package') ?? '', program);
  const global = reader.text('path') === undefined;
  if (!global && reader.boolean('global') === true)
    reader.problem('global', 'does not go with path');
  if (global && reader.boolean('global') === false) reader.problem('path', 'is required');
  const directory = readPath(reader, global ? 'prefix' : 'path');
  reader.finish();
  return { ...common, directory, global };
}

function modules({ directory, global }: NpmSpec): string {
  return `${directory}${global ? '/lib' : ''}/node_modules`;
}

async function installed(spec: NpmSpec, platform: Platform): Promise<Installed> {
  const { files, paths } = platform;
  if (!spec.global) {
    const project = await paths.resolve(spec.directory, { followLast: true });
    const there = (await files.status(project))?.kind === 'directory';
    if (!there && spec.state !== 'absent')
      throw new AgentError('AGENT_PATH_MISSING', { detail: spec.directory });
  }
  // npm links to a package that is developed on this machine.
  const place = await paths.resolve(`${modules(spec)}/${spec.name}`, { followLast: true });
  if ((await files.status(place)) === undefined) return { versions: [], broken: false };
  if ((await files.status(`${place}/package.json`))?.kind !== 'file')
    return { versions: [], broken: true };
  const text = asText(await files.read(`${place}/package.json`, packageFileLimit)) ?? '';
  const version = parsedVersion(text, 'version');
  return version === undefined
    ? { versions: [], broken: true }
    : { versions: [version], broken: false };
}

/** Of JSON text: the string itself, or that of a key. */
function parsedVersion(text: string, key?: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const value =
      key !== undefined && typeof parsed === 'object' && parsed !== null
        ? Object.entries(parsed).find(([name]) => name === key)?.[1]
        : parsed;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

async function placeWords(spec: NpmSpec, { paths }: Platform): Promise<string[]> {
  const directory = await paths.resolve(spec.directory, { followLast: true });
  return [...(spec.global ? ['--global'] : []), '--prefix', directory];
}

function sourceWords({ source }: NpmSpec): string[] {
  return source === undefined ? [] : ['--registry', source];
}
