import { AgentError } from '../errors.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { decodeMessage, encodeMessage } from '../protocol/codec.ts';
import { publicKeyLength } from '../protocol/crypto.ts';
import { protocolVersion } from '../protocol/limits.ts';
import { register } from '../protocol/methods.ts';
import { formatTraceparent, makeTrace, type RandomBytes } from '../protocol/traceparent.ts';
import { uuidLength } from '../protocol/uuid.ts';
import type { Channel } from '../transport.ts';
import { certificateRequest } from './certificate-request.ts';
import {
  type Identity,
  type IdentityCrypto,
  isRegistered,
  loadIdentity,
  saveIdentity,
} from './identity.ts';
import { pinOfToken, type ServerPin } from './server-pin.ts';

const registerDeadlineMs = 60_000;

export interface Registration {
  /** "host:port". */
  readonly server: string;
  readonly token: string;
  /** Wins over what the token carries. */
  readonly pin?: ServerPin;
  readonly hostname: string;
  readonly agentVersion: string;
  /**
   * Replaces an existing identity once the new one is there. With a server of the same authority the
   * node stays the envoy that it was, with its policy and results.
   */
  readonly force: boolean;
}

export interface RegistrationParts {
  readonly files: StateFiles;
  readonly crypto: IdentityCrypto;
  readonly openChannel: (server: string, pin: ServerPin) => Channel;
  /** A connection that proves who this node was so far. */
  readonly openAsBefore: (server: string, identity: Identity) => Channel;
  readonly nowMs: () => number;
  readonly randomBytes: RandomBytes;
}

/**
 * Makes an identity and has the server certify it. The key never leaves the node; nothing is stored
 * before everything is checked. Throws AGENT_SERVER_NOT_PINNED, AGENT_ALREADY_REGISTERED, what
 * Channel.call throws, and AGENT_IDENTITY_BROKEN for an answer that does not fit.
 */
export async function registerNode(
  registration: Registration,
  parts: RegistrationParts,
): Promise<Identity> {
  const pin = registration.pin ?? pinOfToken(registration.token);
  if (pin === undefined) throw new AgentError('AGENT_SERVER_NOT_PINNED');
  if (!registration.force && (await isRegistered(parts.files)))
    throw new AgentError('AGENT_ALREADY_REGISTERED', parts.files.directory);
  const keyPem = parts.crypto.generateKeyPem();
  const signer = parts.crypto.signer(keyPem);
  const request = {
    protocolVersion,
    token: registration.token,
    hostname: registration.hostname,
    certificateRequest: certificateRequest(registration.hostname, signer),
    agentVersion: registration.agentVersion,
    traceparent: formatTraceparent(makeTrace(parts.randomBytes)),
  };
  const former = await formerIdentity(parts, pin);
  const answer =
    (former && (await renewed(parts.openAsBefore(registration.server, former), request))) ??
    (await exchange(parts.openChannel(registration.server, pin), request));
  if (answer.protocolVersion !== protocolVersion)
    throw new AgentError('PROTOCOL_VERSION', `server ${answer.protocolVersion}`);
  if (answer.envoyId.length !== uuidLength || answer.bundlePublicKey.length !== publicKeyLength)
    throw new AgentError('PROTOCOL_MALFORMED', 'the answer to Register is incomplete');
  if (answer.releasePublicKeys.some(({ length }) => length !== publicKeyLength))
    throw new AgentError('PROTOCOL_MALFORMED', 'a release key is not one of Ed25519');
  const chain = parts.crypto.issuedChain(answer.certificateChain, signer.publicKey);
  refuseOtherAuthority(chain.authoritySha256, pin, parts.crypto);
  const identity: Identity = {
    envoyId: answer.envoyId.slice(),
    server: registration.server,
    bundlePublicKey: answer.bundlePublicKey.slice(),
    releasePublicKeys: answer.releasePublicKeys.map((key) => key.slice()),
    intervalMs: answer.intervalMs,
    registeredAtMs: parts.nowMs(),
    keyPem,
    certificatePem: chain.certificatePem,
    authorityPem: chain.authorityPem,
  };
  await saveIdentity(parts.files, identity);
  return identity;
}

/** What the node is enrolled as with a server of this pin; undefined when that is not certain. */
async function formerIdentity(
  { files, crypto }: RegistrationParts,
  pin: ServerPin,
): Promise<Identity | undefined> {
  try {
    const identity = await loadIdentity(files);
    const ours = crypto.fingerprint(identity.authorityPem);
    const wanted = pin.kind === 'fingerprint' ? pin.sha256 : crypto.fingerprint(pin.pem);
    return ours.startsWith(wanted) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the server does not let the former certificate in (it expired), or when it is damaged. */
async function renewed(channel: Channel, request: RegisterFields) {
  try {
    return await exchange(channel, request);
  } catch (error) {
    if (error instanceof AgentError && error.code !== 'AGENT_SERVER_UNREACHABLE') throw error;
    return undefined;
  }
}

type RegisterFields = Parameters<typeof register.request.encode>[0];

async function exchange(channel: Channel, request: RegisterFields) {
  try {
    const bytes = await channel.call(
      register.path,
      encodeMessage(register.request, request, register.requestLimit),
      { deadlineMs: registerDeadlineMs, responseLimit: register.responseLimit },
    );
    return decodeMessage(register.response, bytes, register.responseLimit);
  } finally {
    channel.close();
  }
}

/** The authority that is pinned from now on must be the one that vouched for the connection. */
function refuseOtherAuthority(sha256: string, pin: ServerPin, crypto: IdentityCrypto): void {
  const expected = pin.kind === 'fingerprint' ? pin.sha256 : crypto.fingerprint(pin.pem);
  if (!sha256.startsWith(expected))
    throw new AgentError('AGENT_SERVER_PIN_MISMATCH', `the issuing authority is ${sha256}`);
}
