import { loadIdentity } from '../identity/identity.ts';
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import { sha256 } from '../protocol/crypto.ts';
import { protocolVersion } from '../protocol/limits.ts';
import { methods } from '../protocol/methods.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';

export const selfCheckSpec: CommandSpec = {
  summary: 'try whether this program works on this machine; changes nothing',
  operandLimit: 0,
  options: {},
};

/**
 * What an update runs before it trusts a new version: the program starts here, reads this node's identity
 * and state, signs and verifies, and knows the wire contract. Prints the version as JSON.
 */
export async function runSelfCheck({ settings, parts, io }: CommandContext): Promise<number> {
  const identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  await parts.openFiles(settings.stateDirectory).read('state');
  const signer = parts.identityCrypto.signer(identity.keyPem);
  const verifier = parts.verifier();
  const message = sha256(verifier, new TextEncoder().encode(agentVersion));
  const works = verifier.verify(signer.sign(message), message, signer.publicKey);
  const { body, bodyLimit } = methods.ReportTraits;
  const wire = encodeMessage(body, { traitsJson: message }, bodyLimit);
  const same = decodeMessage(body, wire, bodyLimit).traitsJson.length === message.length;
  const platform = `${parts.host.operatingSystem}-${parts.host.architecture}`;
  io.write(`${JSON.stringify({ version: agentVersion, platform, protocolVersion })}\n`);
  return works && same ? exitCodes.done : exitCodes.error;
}
