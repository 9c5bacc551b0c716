import type { repositorySchema } from '../../policy/resource-schemas/repository.ts';
import type { ParameterReader } from '../parameters.ts';
import { managedHeader } from './managed-file.ts';

/** The kinds of source files: where they lie and how they are written. */
export const repositoryFormats = ['list', 'deb822', 'dnf', 'zypper', 'pacman', 'apk'] as const;
export type RepositoryFormat = (typeof repositoryFormats)[number];

type Reader = ParameterReader<typeof repositorySchema.parameters>;

const places = {
  list: (name: string) => `/etc/apt/sources.list.d/${name}.list`,
  deb822: (name: string) => `/etc/apt/sources.list.d/${name}.sources`,
  dnf: (name: string) => `/etc/yum.repos.d/${name}.repo`,
  zypper: (name: string) => `/etc/zypp/repos.d/${name}.repo`,
  pacman: (name: string) => `/etc/pacman.d/vigo/${name}.conf`,
  apk: (name: string) => `/etc/apk/repositories.d/${name}.list`,
} as const;

export function repositoryPath(format: RepositoryFormat, name: string): string {
  return places[format](name);
}

export interface RepositoryParts {
  readonly name: string;
  readonly repo: string;
  readonly enabled: boolean;
}

type Keyed = RepositoryParts & { readonly key: string | undefined };

interface DebLine {
  readonly types: string;
  readonly options: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
}

function readDebLine(repo: string): DebLine | undefined {
  const match = /^(deb(?:-src)?)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)$/.exec(
    repo.trim(),
  );
  if (match === null) return undefined;
  const [, types, options = '', uri, suite, components] = match;
  return { types: types!, options, uri: uri!, suite: suite!, components: components!.trim() };
}

/** What is wrong with the declared source for this format; undefined when nothing is. */
export function repositoryProblem(format: RepositoryFormat, repo: string): string | undefined {
  const isApt = format === 'list' || format === 'deb822';
  if (isApt) {
    const line = readDebLine(repo);
    if (line === undefined) return 'must be a line such as "deb https://host/debian stable main"';
    if (!line.suite.endsWith('/') && line.components === '')
      return 'needs components after the suite';
    return undefined;
  }
  if (format === 'apk')
    return /^(?:@[A-Za-z0-9_-]+\s+)?(?:[a-z]+:\/\/|\/)\S+$/.test(repo.trim())
      ? undefined
      : 'must be a URL, with @tag before it or without';
  if (repo.trimStart().startsWith('[')) return undefined;
  return /^[a-z]+:\/\/\S+$/.test(repo.trim()) ? undefined : 'must be a URL, or a whole INI section';
}

/** `key`: declared path of the key; undefined without one. */
export function renderRepository(
  format: RepositoryFormat,
  parts: RepositoryParts,
  key: string | undefined,
): string {
  if (format === 'list') return renderList({ ...parts, key });
  if (format === 'deb822') return renderDeb822({ ...parts, key });
  if (format === 'apk')
    return `${managedHeader}\n${parts.enabled ? '' : '#'}${parts.repo.trim()}\n`;
  if (format === 'pacman') return renderPacman({ ...parts, key });
  return renderIni({ ...parts, key });
}

function renderList({ repo, enabled, key }: Keyed): string {
  const { types, options, uri, suite, components } = readDebLine(repo)!;
  const signed = key === undefined || /\bsigned-by=/.test(options) ? [] : [`signed-by=${key}`];
  const all = [...options.split(/\s+/).filter((one) => one !== ''), ...signed].join(' ');
  const words = [types, ...(all === '' ? [] : [`[${all}]`]), uri, suite, components];
  const line = words.filter((word) => word !== '').join(' ');
  return `${managedHeader}\n${enabled ? '' : '# '}${line}\n`;
}

/** Options of one-line sources and their names in deb822 (sources.list(5)). */
const optionNames: Readonly<Record<string, string>> = {
  arch: 'Architectures',
  lang: 'Languages',
  target: 'Targets',
  trusted: 'Trusted',
  'signed-by': 'Signed-By',
  'by-hash': 'By-Hash',
  pdiffs: 'PDiffs',
  'check-valid-until': 'Check-Valid-Until',
  'allow-insecure': 'Allow-Insecure',
};

function renderDeb822({ repo, enabled, key }: Keyed): string {
  const { types, options, uri, suite, components } = readDebLine(repo)!;
  const fields = new Map([
    ['Types', types],
    ['URIs', uri],
    ['Suites', suite],
    ...(components === '' ? [] : ([['Components', components]] as const)),
  ]);
  for (const option of options.split(/\s+/)) {
    const [name = '', value = ''] = option.split('=');
    if (name !== '') fields.set(optionNames[name] ?? name, value.replaceAll(',', ' '));
  }
  if (key !== undefined && !fields.has('Signed-By')) fields.set('Signed-By', key);
  if (!enabled) fields.set('Enabled', 'no');
  return [managedHeader, ...[...fields].map(([name, value]) => `${name}: ${value}`), ''].join('\n');
}

function renderIni({ name, repo, enabled, key }: Keyed): string {
  if (repo.trimStart().startsWith('['))
    return `${managedHeader}\n${repo.trim().replace(/\r/g, '')}\n`;
  const lines = [
    managedHeader,
    `[${name}]`,
    `name=${name}`,
    `baseurl=${repo.trim()}`,
    `enabled=${enabled ? 1 : 0}`,
    ...(key === undefined ? ['gpgcheck=0'] : ['gpgcheck=1', `gpgkey=file://${key}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is switched off is commented out: pacman knows no other way. */
function renderPacman({ name, repo, enabled, key }: Keyed): string {
  const section = repo.trimStart().startsWith('[')
    ? repo.trim().replace(/\r/g, '')
    : [
        `[${name}]`,
        `Server = ${repo.trim()}`,
        ...(key === undefined ? [] : ['SigLevel = Required DatabaseOptional']),
      ].join('\n');
  return `${managedHeader}\n${enabled ? section : section.replace(/^/gm, '# ')}\n`;
}

/**
 * pacman.conf with the line that takes a drop-in in, or without it. A line for each, since pacman
 * refuses to work with a pattern that matches nothing.
 */
export function withInclude(text: string, path: string, wanted: boolean): string {
  const line = `Include = ${path}`;
  const lines = text.split('\n');
  const is = (one: string) => one.trim().replace(/\s*=\s*/, ' = ') === line;
  if (lines.some(is) === wanted) return text;
  if (!wanted) return lines.filter((one) => !is(one)).join('\n');
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${gap}${line}\n`;
}

export function readParts(reader: Reader): RepositoryParts {
  return {
    name: reader.text('repository') ?? '',
    repo: reader.text('repo') ?? '',
    enabled: reader.boolean('enabled') !== false,
  };
}
