import { AgentError } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import { registerNode } from '../identity/register.ts';
import { parseFingerprint, type ServerPin } from '../identity/server-pin.ts';
import type { ProgramIo } from '../platform/program.ts';
import { uuidToText } from '../protocol/uuid.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';

export const enrollOptions = {
  token: { value: 'token', description: 'from `vigocli tokens create`; used once' },
  'ca-fingerprint': { value: 'sha256:hex', description: "of the server's authority" },
  'ca-file': { value: 'file', description: "certificate of the server's authority, PEM" },
  hostname: { value: 'name', description: "instead of this machine's" },
} as const;

export const registerSpec: CommandSpec = {
  summary: 'make an identity and have a server certify it',
  operandLimit: 0,
  options: {
    ...enrollOptions,
    force: { description: 'replace an existing identity; the same server keeps the envoy' },
  },
};

export async function runRegister(context: CommandContext): Promise<number> {
  const { settings, options, io } = context;
  const token = options.get('token');
  if (settings.server === undefined || token === undefined)
    throw new AgentError('AGENT_USAGE', 'register needs --server host:port and --token');
  const identity = await enroll(context, settings.server, token, options.has('force'));
  const envoyId = uuidToText(identity.envoyId);
  io.write(
    settings.json
      ? `${JSON.stringify({ envoyId, server: identity.server, intervalMs: identity.intervalMs })}\n`
      : `Registered with ${identity.server} as envoy ${envoyId}.\nNext: vigo daemon\n`,
  );
  return exitCodes.done;
}

/** Registers by the options that `register` and `install` share. */
export async function enroll(
  { settings, options, parts, io }: CommandContext,
  server: string,
  token: string,
  force: boolean,
): Promise<Identity> {
  const pin = pinOf(options, io);
  const { clock, host } = parts;
  return registerNode(
    {
      server,
      token,
      ...(pin === undefined ? {} : { pin }),
      hostname: options.get('hostname') ?? host.hostname(),
      agentVersion,
      force,
    },
    {
      files: parts.openFiles(identityDirectory(settings)),
      crypto: parts.identityCrypto,
      openChannel: parts.openPinned,
      openAsBefore: parts.openMutual,
      nowMs: () => clock.nowMs(),
      randomBytes: (length) => host.randomBytes(length),
    },
  );
}

function pinOf(options: ReadonlyMap<string, string>, io: ProgramIo): ServerPin | undefined {
  const file = options.get('ca-file');
  if (file !== undefined) return { kind: 'authority', pem: io.readText(io.absolute(file)) };
  const fingerprint = options.get('ca-fingerprint');
  return fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
}
