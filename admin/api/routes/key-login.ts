import { Type } from 'typebox';
import { AdminError } from '../../errors.ts';
import { SignatureError, verifyEd25519, verifySshSignature } from '../../login/signature.ts';
import type { Backend } from '../backend.ts';
import { loginAddress } from '../login/oidc/address.ts';
import { tellRefusal } from '../login/refused.ts';
import { route } from '../route.ts';
import { nothing, object } from '../schemas.ts';
import { loginShape } from '../shapes/session.ts';
import { enterProven, loginAnswer } from './login.ts';

/** An agent may hold several keys. */
const signaturesMax = 8;
const accountText = Type.String({ minLength: 1, maxLength: 63, pattern: '^[^\\n]*$' });
const challengeBody = object({ account: accountText });
const base64 = (bytes: number) =>
  Type.String({ maxLength: 200, description: `${bytes} bytes, base64` });

const loginBody = object({
  account: accountText,
  challenge: Type.String({ maxLength: 1000, description: 'as it was given' }),
  seal: Type.String({ maxLength: 200, description: 'as it was given' }),
  sshSignatures: Type.Optional(
    Type.Array(Type.String({ maxLength: 4000 }), {
      maxItems: signaturesMax,
      description: 'of the challenge, by ssh-keygen -Y sign -n vigo-login; one of them has to do',
    }),
  ),
  ed25519: Type.Optional(object({ publicKey: base64(32), signature: base64(64) })),
  as: Type.Optional(Type.Enum(['cookie', 'token'], { default: 'cookie' })),
});

interface Offered {
  readonly challenge: string;
  readonly sshSignatures?: string[];
  readonly ed25519?: { readonly publicKey: string; readonly signature: string };
}

/** Public keys, hex, that signed the challenge. Throws LOGIN_SIGNATURE_INVALID when none did. */
function provenKeys({ challenge, sshSignatures = [], ed25519 }: Offered): Set<string> {
  const proven = new Set<string>();
  let reason = 'there is none';
  for (const armored of sshSignatures) {
    try {
      proven.add(Buffer.from(verifySshSignature(armored, challenge)).toString('hex'));
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      reason = error.message;
    }
  }
  if (ed25519 !== undefined) {
    const publicKey = Buffer.from(ed25519.publicKey, 'base64');
    const signature = Buffer.from(ed25519.signature, 'base64');
    if (verifyEd25519(publicKey, Buffer.from(challenge), signature)) {
      proven.add(publicKey.toString('hex'));
    } else reason = 'it does not fit the challenge';
  }
  if (proven.size === 0) throw new AdminError('LOGIN_SIGNATURE_INVALID', reason);
  return proven;
}

/** The account's id. Who is not told apart: no such account, and none of its keys. */
function provenAccount(backend: Backend, name: string, proven: ReadonlySet<string>): string {
  const account = backend.views.accounts.find(name);
  // Asked for in any case: the time of the answer tells nothing either.
  const keys = backend.views.federation.keys(account?.name === name ? account.id : '');
  if (account !== undefined && keys.some(({ publicKey }) => proven.has(publicKey))) {
    return account.id;
  }
  throw new AdminError('LOGIN_KEY_REFUSED');
}

export const keyLoginRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/login/methods',
    summary: 'How people may log in at this server',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: undefined,
    handle: async ({ backend, host }) => {
      const { provider } = backend.login;
      return {
        password: true,
        key: true,
        oidc: provider?.settings.label ?? null,
        /** Where a login there begins, under the name to which the provider sends browsers back. */
        oidcUrl: provider === undefined ? null : loginAddress(provider, host),
      };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/login/challenge',
    summary: 'Ask for a text to sign with a key of the account; it is good once, for two minutes',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: challengeBody,
    handle: async ({ backend, body }) => backend.login.challenges.issue(body.account),
  }),
  route({
    method: 'POST',
    path: '/api/v1/login/key',
    summary: 'Log in with signatures of a challenge: of OpenSSH keys, or of a bare Ed25519 key',
    access: 'public',
    parameters: nothing,
    query: nothing,
    body: loginBody,
    answer: loginShape,
    handle: async ({ backend, body, ...asked }) => {
      const { account, challenge, seal } = body;
      const method = body.ed25519 === undefined ? 'ssh-key' : 'ed25519';
      let accountId: string;
      try {
        backend.login.challenges.check(challenge, seal, account);
        accountId = provenAccount(backend, account, provenKeys(body));
        backend.login.challenges.use(challenge);
      } catch (error) {
        const { peerAddress } = asked;
        await tellRefusal(backend, { method, subject: account, peerAddress }, error);
        throw error;
      }
      const proven = { accountId, method, multiFactor: false } as const;
      return loginAnswer(backend, await enterProven(backend, proven, asked), body.as);
    },
  }),
];
