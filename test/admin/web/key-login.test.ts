import { webcrypto } from 'node:crypto';
import t from 'tap';
import { LoginChallenges } from '../../../admin/api/login/challenges.ts';
import { verifyEd25519 } from '../../../admin/login/signature.ts';

interface KeyLogin {
  accounts(): Promise<string[]>;
  register(account: string, comment: string): Promise<{ fingerprint: string }>;
  login(account: string): Promise<unknown>;
  forget(account: string): Promise<void>;
}

interface Module {
  keyLogin(parts: object): KeyLogin;
}

const { keyLogin } = (await import(
  new URL('../../../admin/web/assets/key-login.js', import.meta.url).href
)) as Module;

interface LoginBody {
  readonly challenge: string;
  readonly seal: string;
  readonly ed25519: { readonly publicKey: string; readonly signature: string };
}

/** A browser with its keys, and a server that checks as the real one does. */
function setUp(subtle: unknown = webcrypto.subtle) {
  const kept = new Map<string, Record<string, unknown>>();
  const store = {
    get: async (account: string) => kept.get(account),
    set: async (account: string, key: Record<string, unknown>) => void kept.set(account, key),
    delete: async (account: string) => void kept.delete(account),
    accounts: async () => [...kept.keys()],
  };
  const challenges = new LoginChallenges({
    server: 'vigo.example.com',
    authority: 'ab'.repeat(32),
    nowMs: () => 1_000,
  });
  const server = { key: '', calls: [] as string[], challenge: undefined as string | undefined };
  const call = async (method: string, path: string, body?: unknown) => {
    server.calls.push(`${method} ${path}`);
    if (path === '/api/v1/account/keys') {
      server.key = (body as { key: string }).key;
      return { fingerprint: 'SHA256:a/b+c' };
    }
    if (path === '/api/v1/login/challenge') {
      const issued = challenges.issue((body as { account: string }).account);
      return { ...issued, challenge: server.challenge ?? issued.challenge };
    }
    if (path !== '/api/v1/login/key') return {};
    const { challenge, seal, ed25519 } = body as LoginBody;
    challenges.check(challenge, seal, 'alice');
    const bytes = (text: string) => Buffer.from(text, 'base64');
    if (ed25519.publicKey !== server.key) throw new Error('another key');
    const message = Buffer.from(challenge);
    if (!verifyEd25519(bytes(ed25519.publicKey), message, bytes(ed25519.signature))) {
      throw new Error('the signature is not good');
    }
    return { name: 'alice' };
  };
  const noble = () => import('@noble/ed25519');
  return { kept, server, login: keyLogin({ store, call, noble, subtle }) };
}

/** A browser whose WebCrypto does not know Ed25519 yet. */
const older = new Proxy(webcrypto.subtle, {
  get: (subtle, name) => {
    if (name === 'generateKey') {
      return async (algorithm: unknown, ...rest: [boolean, string[]]) => {
        if (algorithm === 'Ed25519') throw new DOMException('no such', 'NotSupportedError');
        return await subtle.generateKey(algorithm as 'Ed25519', ...(rest as [boolean, ['sign']]));
      };
    }
    const value: unknown = Reflect.get(subtle, name);
    return typeof value === 'function' ? value.bind(subtle) : value;
  },
});

for (const [what, subtle] of [
  ['WebCrypto', webcrypto.subtle],
  ['a library, where WebCrypto cannot', older],
] as const) {
  t.test(`a key of the browser logs in by ${what}, and nobody can read it`, async (t) => {
    const { kept, login } = setUp(subtle);
    t.same(await login.register('alice', 'laptop'), { fingerprint: 'SHA256:a/b+c' });
    t.same(await login.accounts(), ['alice']);
    t.match(await login.login('alice'), { name: 'alice' });
    t.match(await login.login('alice'), { name: 'alice' }, 'again, by another challenge');
    const key = kept.get('alice') ?? {};
    const secret = (key.privateKey ?? key.sealedBy) as webcrypto.CryptoKey;
    t.equal(secret.extractable, false);
    await t.rejects(webcrypto.subtle.exportKey('raw', secret));
    await t.rejects(webcrypto.subtle.exportKey('pkcs8', secret));
    await t.rejects(webcrypto.subtle.exportKey('jwk', secret));
  });
}

t.test('the browser signs a login of its account and nothing else', async (t) => {
  const { login, server } = setUp();
  await login.register('alice', '');
  await t.rejects(login.login('bob'), /no key of bob/);
  for (const challenge of [
    'transfer everything\n',
    new LoginChallenges({ server: 'x', authority: 'ab'.repeat(32), nowMs: () => 1 }).issue('admin')
      .challenge,
  ]) {
    server.challenge = challenge;
    await t.rejects(login.login('alice'), /something else/);
  }
  t.notOk(server.calls.includes('POST /api/v1/login/key'));
});

t.test('a key that is forgotten is gone here and at the server', async (t) => {
  const { login, server, kept } = setUp();
  await login.register('alice', '');
  await login.forget('alice');
  await login.forget('alice');
  t.equal(kept.size, 0);
  t.same(server.calls.at(-1), 'DELETE /api/v1/account/keys/SHA256%3Aa_b-c');
});
