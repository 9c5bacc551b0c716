import { loadIdentity } from '../identity/identity.ts';
import { uninstallAgent } from '../install/uninstall.ts';
import { uuidToText } from '../protocol/uuid.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';
import { requireRoot } from './install.ts';

export const uninstallSpec: CommandSpec = {
  summary: 'take vigo away from this machine',
  operandLimit: 0,
  options: {
    'keep-state': { description: 'leave identity, settings, policy and results that wait' },
  },
  details: `What policy made on this machine stays. The server goes on listing the envoy until it is told:
vigocli envoys revoke`,
};

export async function runUninstall(context: CommandContext): Promise<number> {
  const { settings, options, parts, io } = context;
  requireRoot(context);
  const envoyId = await loadIdentity(parts.openFiles(identityDirectory(settings))).then(
    (identity) => uuidToText(identity.envoyId),
    () => undefined,
  );
  const { configDirectory, stateDirectory } = settings;
  const keepState = options.has('keep-state');
  const removal = { configDirectory, stateDirectory, keepState };
  const removed = await uninstallAgent(parts.platform(settings), removal);
  if (settings.json) {
    io.write(`${JSON.stringify({ removed, ...(envoyId === undefined ? {} : { envoyId }) })}\n`);
    return exitCodes.done;
  }
  io.write(removed.length === 0 ? 'Nothing of vigo is here.\n' : `Removed:\n${list(removed)}`);
  if (keepState) io.write(`Left: ${configDirectory} and ${stateDirectory}.\n`);
  else if (envoyId !== undefined && removed.length > 0)
    io.write(`Tell the server: vigocli envoys revoke ${envoyId}\n`);
  return exitCodes.done;
}

function list(paths: readonly string[]): string {
  return paths.map((path) => `  ${path}\n`).join('');
}
