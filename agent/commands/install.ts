import { AgentError } from '../errors.ts';
import { isRegistered, loadIdentity } from '../identity/identity.ts';
import { pinOfToken } from '../identity/server-pin.ts';
import { installAgent } from '../install/install.ts';
import { currentProgram, serviceName } from '../install/layout.ts';
import { findServiceManager } from '../install/service.ts';
import { initSystems } from '../install/service-files.ts';
import { uuidToText } from '../protocol/uuid.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';
import { enroll, enrollOptions } from './register.ts';

/** How long the first check-in of the new service is waited for. */
const firstContactMs = 20_000;
const pollMs = 100;

export const installSpec: CommandSpec = {
  summary: 'put vigo on this machine: program, identity, service',
  operandLimit: 0,
  options: {
    ...enrollOptions,
    reenroll: { description: 'use the token although this machine is enrolled already' },
    init: { value: 'name', description: `${initSystems.join(', ')}; otherwise found out` },
    'no-banner': { description: 'show nothing to users who log in' },
    'no-service': { description: 'leave starting `vigo daemon` to you' },
  },
  details: `Everything is put at fixed places, which docs/install.md lists; \`vigo uninstall\` takes all away.
Run again, it repairs what is missing, and on a machine that is enrolled it does not use the token.`,
};

export async function runInstall(context: CommandContext): Promise<number> {
  const { settings, options, parts, io } = context;
  const file = io.program;
  requireRoot(context);
  if (file === undefined) throw new AgentError('AGENT_INSTALL_NOT_BUILT');
  const platform = parts.platform(settings);
  const init = initOption(options.get('init'));
  const manager = options.has('no-service') ? undefined : await findServiceManager(platform, init);
  const startedMs = parts.clock.nowMs();
  let enrolled = false;
  const changed = await installAgent({
    platform,
    program: { file, version: agentVersion },
    banner: !options.has('no-banner'),
    manager,
    enroll: async () => {
      enrolled = await enrollIfNeeded(context);
      return enrolled;
    },
  });
  const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  const contact =
    manager === undefined ? undefined : await firstContact(context, changed ? startedMs : 0);
  const facts = {
    version: agentVersion,
    envoyId: uuidToText(identity.envoyId),
    server: identity.server,
    enrolled,
    changed,
    ...(manager === undefined ? {} : { service: manager.name, checkedIn: contact === '' }),
    ...(contact ? { contactFailure: contact } : {}),
  };
  io.write(settings.json ? `${JSON.stringify(facts)}\n` : describe(facts));
  return exitCodes.done;
}

export function requireRoot({ parts }: Pick<CommandContext, 'parts'>): void {
  if (parts.host.effectiveUid !== 0) throw new AgentError('AGENT_INSTALL_NOT_ROOT');
}

function initOption(name: string | undefined) {
  const found = initSystems.find((known) => known === name);
  if (name !== undefined && found === undefined)
    throw new AgentError('AGENT_USAGE', `--init ${name}: expected ${initSystems.join(', ')}`);
  return found;
}

/** True when the identity is a new one. */
async function enrollIfNeeded(context: CommandContext): Promise<boolean> {
  const { settings, options, parts } = context;
  const files = parts.openFiles(identityDirectory(settings));
  const registered = await isRegistered(files);
  const token = options.get('token');
  if (registered && !options.has('reenroll')) {
    const { authorityPem, server } = await loadIdentity(files);
    const pin = token === undefined ? undefined : pinOfToken(token);
    const known = parts.identityCrypto.fingerprint(authorityPem);
    if (pin?.kind === 'fingerprint' && !known.startsWith(pin.sha256))
      throw new AgentError('AGENT_INSTALL_OTHER_SERVER', server);
    return false;
  }
  if (settings.server === undefined || token === undefined)
    throw new AgentError('AGENT_USAGE', 'install needs --server host:port and --token');
  await enroll(context, settings.server, token, registered);
  return true;
}

/** "" once the service has checked in, otherwise why it has not yet. */
async function firstContact(
  { settings, parts, io }: CommandContext,
  afterMs: number,
): Promise<string> {
  let failure = 'the service has not answered yet';
  for (let waited = 0; waited < firstContactMs && !io.signal.aborted; waited += pollMs) {
    const running = await parts.askRunning(settings.stateDirectory);
    const { lastContactMs = 0, contactFailure } = running?.facts ?? {};
    if (contactFailure === undefined && lastContactMs > 0 && lastContactMs >= afterMs) return '';
    failure = contactFailure ?? failure;
    await parts.clock.sleep(pollMs, io.signal);
  }
  return failure;
}

interface InstallFacts {
  readonly version: string;
  readonly envoyId: string;
  readonly server: string;
  readonly enrolled: boolean;
  readonly changed: boolean;
  readonly service?: string;
  readonly checkedIn?: boolean;
  readonly contactFailure?: string;
}

function describe(facts: InstallFacts): string {
  const { version, envoyId, server, service } = facts;
  const lines = [
    facts.changed ? `vigo ${version} is installed.` : `vigo ${version} was installed already.`,
    facts.enrolled
      ? `Enrolled with ${server} as envoy ${envoyId}.`
      : `Enrolled already, with ${server} as envoy ${envoyId}; no token was used.`,
    service === undefined
      ? `No service: start it with ${currentProgram} daemon`
      : `Service ${serviceName} (${service}) runs now and after every boot.`,
  ];
  if (facts.checkedIn) lines.push('It has checked in with the server.');
  else if (service !== undefined)
    lines.push(`It has not reached the server yet and goes on trying: ${facts.contactFailure}`);
  lines.push('What it does: vigo status. To take it away: vigo uninstall');
  return `${lines.join('\n')}\n`;
}
