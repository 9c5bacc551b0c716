import { readFile } from 'node:fs/promises';
import { Value } from 'typebox/value';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { ServerError } from '../../errors.ts';
import { closestName } from './closest-name.ts';
import { configFromRaw, parseListen, type ServerConfig } from './config.ts';
import { parseDuration } from './duration.ts';
import { oidcItemChecks } from './oidc-section.ts';
import { publishItemChecks } from './publish-section.ts';
import { releasesItemChecks } from './releases-section.ts';
import { environmentName } from './sample.ts';
import {
  type ConfigKey,
  configKeys,
  configSchema,
  configSections,
  type RawConfig,
} from './schema.ts';
import { tracingValueChecks } from './tracing-section.ts';

/** Largest server.yaml that is read. */
const configBytesLimit = 1_048_576;
const portLimit = 65_535;

/** One value from outside the file, as text: where it came from and what it says. */
export interface ConfigOverride {
  /** Named in errors: "VIGO_LOG_LEVEL" or "--set". */
  readonly source: string;
  readonly path: string;
  readonly value: string;
}

export interface LoadOptions {
  /** Named in errors. */
  readonly file: string;
  /** Absolute. */
  readonly home: string;
  /** Later ones win. */
  readonly overrides?: readonly ConfigOverride[];
}

/** Throws CONFIG_*. A missing file is an error; an empty one means all defaults. */
export async function loadConfig(options: LoadOptions): Promise<ServerConfig> {
  let text: string;
  try {
    text = await readFile(options.file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError('CONFIG_UNREADABLE', { file: options.file, reason }, { cause });
  }
  return parseConfig(text, options);
}

/** Pure: text of server.yaml -> settings. */
export function parseConfig(text: string, options: LoadOptions): ServerConfig {
  if (text.length > configBytesLimit) {
    const reason = `it has more than ${configBytesLimit} characters`;
    throw new ServerError('CONFIG_UNREADABLE', { file: options.file, reason });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const places = new Places(options.file, document, lineCounter);
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const reason = syntax.message.split('\n')[0] ?? '';
    const short = reason.replace(/ at line \d+, column \d+:?$/, '');
    throw new ServerError('CONFIG_SYNTAX', { ...places.at(syntax.pos[0]), reason: short });
  }
  const sections = readSections(document, places);
  applyOverrides(sections, options.overrides ?? [], places);
  return configFromRaw(checkedConfig(sections, places), options.home);
}

/** Overrides that the environment holds: VIGO_<SECTION>_<KEY>. */
export function overridesFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOverride[] {
  return configKeys().flatMap((key) => {
    const source = environmentName(key.path);
    const value = environment[source];
    return value === undefined ? [] : [{ source, path: key.path, value }];
  });
}

/** Overrides of `--set section.key=value` flags. */
export function overridesFromFlags(flags: readonly string[]): ConfigOverride[] {
  return flags.map((flag) => {
    const equals = flag.indexOf('=');
    const path = equals < 0 ? flag : flag.slice(0, equals);
    return { source: '--set', path, value: equals < 0 ? '' : flag.slice(equals + 1) };
  });
}

type Sections = Record<string, Record<string, unknown>>;

function readSections(document: Document, places: Places): Sections {
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return {};
  if (!isMap(root)) throw places.invalid('server.yaml', root, 'a map of sections');
  const sections: Sections = {};
  const known = configSections();
  for (const item of root.items) {
    const name = String(isScalar(item.key) ? item.key.value : item.key);
    if (!known.has(name)) throw places.unknown(name, item.key, [...known.keys()]);
    if (item.value === null || (isScalar(item.value) && item.value.value === null)) continue;
    if (!isMap(item.value)) throw places.invalid(name, item.value, 'a map of keys');
    sections[name] = readKeys(name, item.value.items, places);
  }
  return sections;
}

function readKeys(
  section: string,
  items: readonly { key: unknown; value: unknown }[],
  places: Places,
): Record<string, unknown> {
  const names = configKeys()
    .filter((key) => key.section === section)
    .map((key) => key.name);
  const values: Record<string, unknown> = {};
  for (const item of items) {
    const name = String(isScalar(item.key) ? item.key.value : item.key);
    if (!names.includes(name)) throw places.unknown(`${section}.${name}`, item.key, names);
    values[name] = places.value(item.value);
  }
  return values;
}

function applyOverrides(
  sections: Sections,
  overrides: readonly ConfigOverride[],
  places: Places,
): void {
  const keys = new Map(configKeys().map((key) => [key.path, key]));
  for (const override of overrides) {
    const key = keys.get(override.path);
    if (key === undefined) {
      const suggestion = suggest(closestName(override.path, [...keys.keys()]));
      const place = { file: override.source, line: 0, column: 0 };
      throw new ServerError('CONFIG_UNKNOWN_KEY', { ...place, key: override.path, suggestion });
    }
    const section = sections[key.section] ?? {};
    section[key.name] = overrideValue(key, override.value);
    sections[key.section] = section;
    places.override(key.path, override.source);
  }
}

function overrideValue(key: ConfigKey, text: string): unknown {
  if (key.type === 'integer' && /^\d{1,15}$/.test(text)) return Number(text);
  if (key.type === 'array') return text === '' ? [] : text.split(',').map((part) => part.trim());
  return text;
}

function checkedConfig(sections: Sections, places: Places): RawConfig {
  const filled: Sections = {};
  for (const key of configKeys()) {
    const given = sections[key.section]?.[key.name];
    // `interval: 0` in YAML is a number; where durations are meant, 0 says what it means.
    const value = key.leastMs !== undefined && given === 0 ? '0' : (given ?? key.default);
    filled[key.section] = { ...filled[key.section], [key.name]: value };
    checkBeyondSchema(key, value, places);
  }
  const [error] = Value.Errors(configSchema, filled);
  if (error !== undefined) {
    const [section = '', name = ''] = error.instancePath.slice(1).split('/');
    throw badValue(keyAt(section, name), filled[section]?.[name], places);
  }
  return Value.Parse(configSchema, filled);
}

/** Rules that JSON Schema cannot say: the size of durations, the range of ports. */
function checkBeyondSchema(key: ConfigKey, value: unknown, places: Places): void {
  const isItem =
    publishItemChecks.get(key.path) ??
    releasesItemChecks.get(key.path) ??
    oidcItemChecks.get(key.path);
  if (isItem !== undefined && Array.isArray(value)) {
    const bad: unknown = value.find((item) => typeof item !== 'string' || !isItem(item));
    if (bad !== undefined) throw badValue(key, bad, places);
  }
  if (typeof value !== 'string') return;
  if (tracingValueChecks.get(key.path)?.(value) === false) throw badValue(key, value, places);
  if (key.leastMs !== undefined) {
    const milliseconds = parseDuration(value);
    const allowed =
      milliseconds !== undefined &&
      ((milliseconds >= key.leastMs && milliseconds <= key.mostMs) ||
        (key.zero && milliseconds === 0));
    if (!allowed) throw badValue(key, value, places);
  }
  if (key.name.endsWith('_listen') && parseListen(value).port > portLimit) {
    throw badValue(key, value, places);
  }
}

function keyAt(section: string, name: string): ConfigKey {
  const key = configKeys().find((found) => found.section === section && found.name === name);
  if (key === undefined) throw new Error(`the schema has no key ${section}.${name}`);
  return key;
}

function badValue(key: ConfigKey, value: unknown, places: Places): ServerError {
  return new ServerError('CONFIG_INVALID_VALUE', {
    ...places.of(key.section, key.name),
    key: key.path,
    value: JSON.stringify(value) ?? String(value),
    expected: key.expected,
  });
}

function suggest(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean "${name}"?`;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds file, line and column of what an error is about. */
class Places {
  readonly #file: string;
  readonly #document: Document;
  readonly #lineCounter: LineCounter;
  readonly #overridden = new Map<string, string>();

  constructor(file: string, document: Document, lineCounter: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lineCounter = lineCounter;
  }

  at(offset: number): Place & Record<string, string | number> {
    const { line, col } = this.#lineCounter.linePos(offset);
    return { file: this.#file, line, column: col };
  }

  of(section: string, name: string): Place & Record<string, string | number> {
    const source = this.#overridden.get(`${section}.${name}`);
    if (source !== undefined) return { file: source, line: 0, column: 0 };
    const node = this.#document.getIn([section, name], true);
    return this.at(nodeOffset(node));
  }

  override(path: string, source: string): void {
    this.#overridden.set(path, source);
  }

  value(node: unknown): unknown {
    if (node === null || node === undefined) return undefined;
    try {
      return (node as Node).toJS(this.#document);
    } catch (cause) {
      // An alias without its anchor, or too many of them.
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ServerError('CONFIG_SYNTAX', { ...this.at(nodeOffset(node)), reason }, { cause });
    }
  }

  invalid(key: string, node: unknown, expected: string): ServerError {
    const value = JSON.stringify(this.value(node)) ?? 'nothing';
    return new ServerError('CONFIG_INVALID_VALUE', {
      ...this.at(nodeOffset(node)),
      key,
      value,
      expected,
    });
  }

  unknown(key: string, node: unknown, known: readonly string[]): ServerError {
    const name = key.slice(key.lastIndexOf('.') + 1);
    return new ServerError('CONFIG_UNKNOWN_KEY', {
      ...this.at(nodeOffset(node)),
      key,
      suggestion: suggest(closestName(name, known)),
    });
  }
}

function nodeOffset(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
