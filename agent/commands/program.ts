import { AgentError } from '../errors.ts';
import { createLogger } from '../log.ts';
import type { StateFiles } from '../offline/state-files.ts';
import type { ProgramIo } from '../platform/program.ts';
import { agentVersion } from '../version.ts';
import { type CommandSpec, parseArguments } from './arguments.ts';
import { type CommandContext, exitCodes, type ProgramParts } from './context.ts';
import { daemonSpec, runDaemon } from './daemon.ts';
import { helpText } from './help.ts';
import { historySpec, runHistory } from './history.ts';
import { importSpec, runImport } from './import.ts';
import { installSpec, runInstall } from './install.ts';
import { licensesSpec, runLicenses } from './licenses.ts';
import { registerSpec, runRegister } from './register.ts';
import { runOnce, runSpec } from './run.ts';
import { runSelfCheck, selfCheckSpec } from './self-check.ts';
import { globalOptions, loadSettings } from './settings.ts';
import { runStatus, statusSpec } from './status.ts';
import { runTraits, traitsSpec } from './traits.ts';
import { runUninstall, uninstallSpec } from './uninstall.ts';
import { runWhy, whySpec } from './why.ts';

const versionSpec: CommandSpec = { summary: 'show the version', operandLimit: 0, options: {} };

export const commandSpecs = {
  install: installSpec,
  uninstall: uninstallSpec,
  register: registerSpec,
  run: runSpec,
  daemon: daemonSpec,
  status: statusSpec,
  why: whySpec,
  history: historySpec,
  traits: traitsSpec,
  import: importSpec,
  'self-check': selfCheckSpec,
  licenses: licensesSpec,
  version: versionSpec,
} as const;

const runners: Record<keyof typeof commandSpecs, (context: CommandContext) => Promise<number>> = {
  install: runInstall,
  uninstall: runUninstall,
  register: runRegister,
  run: runOnce,
  daemon: runDaemon,
  status: runStatus,
  why: runWhy,
  history: runHistory,
  traits: runTraits,
  import: runImport,
  'self-check': runSelfCheck,
  licenses: runLicenses,
  version: async ({ io, settings }) => {
    io.write(
      settings.json ? `${JSON.stringify({ version: agentVersion })}\n` : `${agentVersion}\n`,
    );
    return exitCodes.done;
  },
};

/** The `vigo` program: resolves to its exit code and never throws for what it can name. */
export async function vigo(io: ProgramIo, parts: ProgramParts): Promise<number> {
  const json = io.argv.includes('--json');
  try {
    const parsed = parseArguments(io.argv, commandSpecs, globalOptions);
    if (parsed.help || parsed.command === undefined) {
      io.write(helpText(commandSpecs, globalOptions, parsed.command));
      return parsed.help ? exitCodes.done : exitCodes.usage;
    }
    const openConfig = parsed.command === 'status' ? lenient(parts) : parts.openFiles;
    const settings = await loadSettings(parsed.options, openConfig, io.absolute);
    const log = createLogger({
      level: settings.logLevel,
      human: io.terminal && !settings.json,
      nowMs: () => parts.clock.nowMs(),
      write: io.writeError,
    });
    const { command, operands, options } = parsed;
    const run = runners[command as keyof typeof commandSpecs];
    return await run({ settings, operands, options, io, parts, log });
  } catch (error) {
    return fail(error, io, json);
  }
}

/** Who may not read the configuration still gets a status, of an agent in the usual places. */
function lenient({ openFiles }: ProgramParts) {
  return (directory: string): Pick<StateFiles, 'read'> => {
    const files = openFiles(directory);
    return { read: (name) => files.read(name).catch(() => undefined) };
  };
}

function fail(error: unknown, io: ProgramIo, json: boolean): number {
  const coded =
    error instanceof AgentError
      ? error
      : new AgentError('AGENT_INTERNAL', { detail: String(error) }, { cause: error });
  const { code, message, remedy } = coded;
  io.writeError(
    json
      ? `${JSON.stringify({ error: { code, message, remedy } })}\n`
      : `vigo: ${message}\n      ${remedy} [${code}]\n`,
  );
  return coded.exitCode;
}
