import { intervalCeilingMs, intervalFloorMs } from '../daemon.ts';
import { AgentError } from '../errors.ts';
import { type LogLevel, logLevels } from '../log.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { closestName } from '../policy/closest.ts';
import type { OptionSpec } from './arguments.ts';

export const defaultConfigDirectory = '/etc/vigo-envoy';
export const defaultStateDirectory = '/var/lib/vigo';
const defaultServerPort = 1530;

/** How this run of the program is set up. Directories are absolute paths. */
export interface Settings {
  readonly configDirectory: string;
  readonly stateDirectory: string;
  /** The confined root, or "/". */
  readonly root: string;
  /** "host:port"; undefined = the one that the node is registered with. */
  readonly server: string | undefined;
  readonly dryRun: boolean;
  /** Undefined = the server's pace. */
  readonly intervalMs: number | undefined;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** The options that every command takes; those in `fileKeys` may stand in the configuration file. */
export const globalOptions = {
  'config-dir': {
    value: 'directory',
    description: `identity and settings (${defaultConfigDirectory})`,
  },
  'state-dir': {
    value: 'directory',
    description: `policy, queue, history (${defaultStateDirectory})`,
  },
  root: { value: 'directory', description: 'manage only what lies beneath this directory' },
  server: { value: 'host:port', description: 'the server to register with or to check in at' },
  'dry-run': { description: 'predict, change nothing' },
  interval: { value: 'time', description: "pace of the passes, such as 30s or 5m (the server's)" },
  'log-level': { value: 'level', description: `${logLevels.join(', ')} (info)` },
  json: { description: 'output for programs' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

const fileKeys = ['server', 'state-dir', 'root', 'dry-run', 'interval', 'log-level'] as const;

/**
 * Joins the command line with `<config-dir>/config`; the command line wins. `absolute` resolves a
 * path against the working directory. Throws AGENT_CONFIG_INVALID or AGENT_USAGE.
 */
export async function loadSettings(
  options: ReadonlyMap<string, string>,
  openConfig: (directory: string) => Pick<StateFiles, 'read'>,
  absolute: (path: string) => string,
): Promise<Settings> {
  const configDirectory = absolute(options.get('config-dir') ?? defaultConfigDirectory);
  const content = await openConfig(configDirectory).read('config');
  const file =
    content === undefined
      ? new Map<string, string>()
      : parseConfig(new TextDecoder().decode(content), `${configDirectory}/config`);
  const get = (name: string): string | undefined => options.get(name) ?? file.get(name);
  const interval = get('interval');
  const server = get('server');
  return {
    configDirectory,
    stateDirectory: absolute(get('state-dir') ?? defaultStateDirectory),
    root: absolute(get('root') ?? '/'),
    server: server === undefined ? undefined : normalServer(server),
    dryRun: parseSwitch(get('dry-run') ?? 'false'),
    intervalMs: interval === undefined ? undefined : parseInterval(interval),
    logLevel: parseLevel(get('log-level') ?? 'info'),
    json: options.has('json'),
  };
}

/** Lines of `key = value`; "#" starts a comment. */
export function parseConfig(text: string, path: string): Map<string, string> {
  const values = new Map<string, string>();
  text.split('\n').forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const where = `${path}:${index + 1}`;
    const at = trimmed.indexOf('=');
    if (at < 0) throw new AgentError('AGENT_CONFIG_INVALID', `${where}: expected key = value`);
    const key = trimmed.slice(0, at).trim();
    if (!fileKeys.some((known) => known === key)) {
      const near = closestName(key, fileKeys);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      throw new AgentError('AGENT_CONFIG_INVALID', `${where}: unknown key ${key}${hint}`);
    }
    values.set(key, trimmed.slice(at + 1).trim());
  });
  return values;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "500ms", "30s", "5m", "1h"; a bare number is seconds. */
export function parseInterval(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const milliseconds = match === null ? Number.NaN : Number(match[1]) * units[match[2] ?? 's']!;
  if (!(milliseconds >= intervalFloorMs && milliseconds <= intervalCeilingMs))
    throw new AgentError('AGENT_USAGE', `interval ${text}: expected 100ms to 24h, such as 30s`);
  return milliseconds;
}

/** Adds the port that servers listen on when none is named. */
export function normalServer(text: string): string {
  const { host, port } = splitServer(text);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** "host", "host:port", "[IPv6]:port" or a bare IPv6 address. */
export function splitServer(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(text);
  const bare = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? text : undefined;
  const host = match?.[1] ?? match?.[2] ?? bare;
  const port = Number(match?.[3] ?? defaultServerPort);
  if (host === undefined || port < 1 || port > 65_535)
    throw new AgentError('AGENT_USAGE', `server ${text}: expected host:port`);
  return { host, port };
}

function parseSwitch(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new AgentError('AGENT_CONFIG_INVALID', `dry-run = ${text}: expected true or false`);
}

function parseLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level === undefined)
    throw new AgentError('AGENT_USAGE', `log-level ${text}: expected ${logLevels.join(', ')}`);
  return level;
}
