import { AgentError } from '../errors.ts';
import { registerNode } from '../identity/register.ts';
import { parseFingerprint, type ServerPin } from '../identity/server-pin.ts';
import type { ProgramIo } from '../platform/program.ts';
import { uuidToText } from '../protocol/uuid.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';

export const registerSpec: CommandSpec = {
  summary: 'make an identity and have a server certify it',
  operandLimit: 0,
  options: {
    token: { value: 'token', description: 'from `vigocli tokens create`; used once' },
    'ca-fingerprint': { value: 'sha256:hex', description: "of the server's authority" },
    'ca-file': { value: 'file', description: "certificate of the server's authority, PEM" },
    hostname: { value: 'name', description: "instead of this machine's" },
    force: { description: 'replace an existing identity' },
  },
};

export async function runRegister(context: CommandContext): Promise<number> {
  const { settings, options, parts, io } = context;
  const token = options.get('token');
  if (settings.server === undefined || token === undefined)
    throw new AgentError('AGENT_USAGE', 'register needs --server host:port and --token');
  const pin = pinOf(options, io);
  const { clock, host } = parts;
  const identity = await registerNode(
    {
      server: settings.server,
      token,
      ...(pin === undefined ? {} : { pin }),
      hostname: options.get('hostname') ?? host.hostname(),
      agentVersion,
      force: options.has('force'),
    },
    {
      files: parts.openFiles(identityDirectory(settings)),
      crypto: parts.identityCrypto,
      openChannel: parts.openPinned,
      nowMs: () => clock.nowMs(),
      randomBytes: (length) => host.randomBytes(length),
    },
  );
  const envoyId = uuidToText(identity.envoyId);
  io.write(
    settings.json
      ? `${JSON.stringify({ envoyId, server: identity.server, intervalMs: identity.intervalMs })}\n`
      : `Registered with ${identity.server} as envoy ${envoyId}.\nNext: vigo daemon\n`,
  );
  return exitCodes.done;
}

function pinOf(options: ReadonlyMap<string, string>, io: ProgramIo): ServerPin | undefined {
  const file = options.get('ca-file');
  if (file !== undefined) return { kind: 'authority', pem: io.readText(io.absolute(file)) };
  const fingerprint = options.get('ca-fingerprint');
  return fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
}
