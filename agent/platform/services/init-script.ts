import { AgentError } from '../../errors.ts';
import { causeOf, machineCode, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { isProgram, liveProcess, programRuns } from './process-probe.ts';
import type { ServiceAct } from './service-manager.ts';

/** What an init script tells about its service without being run. */
export interface InitScript {
  readonly name: string;
  readonly path: string;
  /** Run by openrc-run, which then keeps the state of the service. */
  readonly openrc: boolean;
  /** Undefined when the script does not say, or not in plain words. */
  readonly pidFile: string | undefined;
  readonly program: string | undefined;
  /** It has a `status` that can be asked. */
  readonly answersStatus: boolean;
}

export type ScriptActivity = 'running' | 'stopped' | 'failed';

const scriptLimit = 256 * 1024;
const statusTimeoutMs = 30_000;
const variableLimit = 200;
/** What LSB says an init script means by its exit code. */
const exitMeanings: Readonly<Record<number, string>> = {
  2: 'wrong argument',
  3: 'not implemented',
  4: 'not allowed',
  5: 'its program is not installed',
  6: 'it is not configured',
};

/** Portable policies say "nginx" or "nginx.service"; init scripts and directories have no suffix. */
export function scriptName(service: string): string {
  return service.replace(/\.service$/, '');
}

/** The script of a service; undefined when there is none that can be run. */
export async function findInitScript(
  platform: Platform,
  name: string,
): Promise<InitScript | undefined> {
  const path = `/etc/init.d/${name}`;
  const real = await platform.paths.resolve(path, { followLast: true });
  const status = await platform.files.status(real);
  if (status?.kind !== 'file' || (status.mode & 0o111) === 0) return undefined;
  if (status.size > scriptLimit) return { ...plainScript(name, path), answersStatus: true };
  return readInitScript(name, path, (await readText(platform, path)) ?? '');
}

/** Reads a script: assignments in plain words, the labels of its case, chkconfig's comments. */
export function readInitScript(name: string, path: string, text: string): InitScript {
  const interpreter = /^#!.*/.exec(text)?.[0] ?? '';
  const variables = readVariables(text, name);
  const comment = (field: string) =>
    new RegExp(`^#\\s*${field}:\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1];
  const pidFile = variables.get('PIDFILE') ?? variables.get('pidfile') ?? comment('pidfile');
  const program =
    variables.get('DAEMON') ?? variables.get('command') ?? comment('processname') ?? undefined;
  return {
    name,
    path,
    openrc: /\b(openrc-run|runscript)\b/.test(interpreter),
    pidFile: pidFile?.startsWith('/') ? pidFile : undefined,
    program,
    answersStatus:
      interpreter.includes('init-d-script') ||
      /^\s*\(?["']?(?:[\w*-]+["']?\s*\|\s*["']?)*status["']?\s*(?:\||\))/m.test(text),
  };
}

function plainScript(name: string, path: string): InitScript {
  return {
    name,
    path,
    openrc: false,
    pidFile: undefined,
    program: undefined,
    answersStatus: false,
  };
}

/** Assignments whose value is certain: a literal with variables that were assigned before. */
function readVariables(text: string, name: string): Map<string, string> {
  const known = new Map([
    ['RC_SVCNAME', name],
    ['SVCNAME', name],
  ]);
  const assignment =
    /^(?:export\s+)?([A-Za-z_]\w*)=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s;#"']*))\s*(?:#.*)?$/;
  for (const line of text.split('\n')) {
    const found = assignment.exec(line.trim());
    if (found === null || known.size > variableLimit) continue;
    const variable = found[1]!;
    const literal = found[3];
    const value = literal ?? expand(found[2] ?? found[4] ?? '', known);
    // Assigned twice to different values, it depends on what the script finds.
    const before = known.get(variable);
    if (value === undefined || (before !== undefined && before !== value)) known.set(variable, '');
    else known.set(variable, value);
  }
  for (const [variable, value] of known) if (value === '') known.delete(variable);
  return known;
}

/** Undefined when it holds more than plain variables. */
function expand(text: string, known: ReadonlyMap<string, string>): string | undefined {
  let certain = true;
  const expanded = text.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced?: string, bare?: string) => {
    const value = known.get(braced ?? bare ?? '');
    if (value === undefined || value === '') certain = false;
    return value ?? '';
  });
  return certain && !/[$`\\]/.test(expanded) ? expanded : undefined;
}

/** A number in the script's pid file; 0 when there is none. */
export async function pidOf(platform: Platform, file: string | undefined): Promise<number> {
  if (file === undefined) return 0;
  const text = (await readText(platform, file)) ?? '';
  return Number(/^\s*(\d+)/.exec(text)?.[1] ?? 0);
}

/**
 * Whether the service runs: by its pid file when that is certain, else as its script says, and where
 * it says nothing, by a process of its program.
 */
export async function scriptActivity(
  platform: Platform,
  script: InitScript,
  signal?: AbortSignal,
): Promise<ScriptActivity> {
  const live = await liveProcess(platform, await pidOf(platform, script.pidFile));
  if (live !== undefined && isProgram(live, script.program ?? script.name)) return 'running';
  if (script.answersStatus) {
    const options = { signal, timeoutMs: statusTimeoutMs };
    const { exitCode } = await runTool(platform, [script.path, 'status'], options);
    if (exitCode === 0) return 'running';
    if (exitCode === 3) return 'stopped';
    if (exitCode === 1 || exitCode === 2) return 'failed';
  }
  return (await programRuns(platform, script.program ?? script.name)) ? 'running' : 'stopped';
}

/** Runs a tool that acts on a service. @throws {AgentError} AGENT_SERVICE_FAILED */
export async function runServiceTool(
  platform: Platform,
  argv: readonly [string, ...string[]],
  { what, signal, timeoutMs }: { what: string; signal: AbortSignal | undefined; timeoutMs: number },
): Promise<void> {
  const result = await runTool(platform, argv, { signal, timeoutMs });
  if (result.exitCode === 0) return;
  const meaning = exitMeanings[result.exitCode];
  const code = `exit code ${result.exitCode}${meaning === undefined ? '' : ` (${meaning})`}`;
  throw new AgentError(machineCode(result) ?? 'AGENT_SERVICE_FAILED', {
    detail: `${what}: ${code}: ${causeOf(result)}`,
  });
}

/** As systemd's reload-or-restart: what does not run is started. */
export function effectiveAct(act: ServiceAct, runs: boolean): ServiceAct {
  return (act === 'reload' || act === 'restart') && !runs ? 'start' : act;
}
