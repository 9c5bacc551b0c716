import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface ForgedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly algorithm?: 'RS256' | 'none';
  readonly key?: KeyObject;
}

/**
 * A double: it answers as an OpenID provider that lies, because a real one would not. It hands out
 * the ID token that a test forges, for any code.
 */
export class ForgingOpenIdProviderDouble {
  issuer = '';
  /** What the discovery document calls itself; the issuer when ''. */
  claimedIssuer = '';
  metadata: Readonly<Record<string, unknown>> = {};
  token: ForgedToken = { claims: {} };
  tokenAnswer: { status: number; body: string } | undefined;
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly asked: string[] = [];

  async start(t: Pick<Test, 'teardown'>): Promise<this> {
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      this.asked.push(path);
      request.resume().on('end', () => {
        const { status, body } = this.#answer(path);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }

  #answer(path: string): { status: number; body: string } {
    const { issuer } = this;
    const ok = (value: object) => ({ status: 200, body: JSON.stringify(value) });
    if (path === '/.well-known/openid-configuration') {
      return ok({
        issuer: this.claimedIssuer || issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        ...this.metadata,
      });
    }
    if (path === '/jwks') {
      const jwk = this.#key.publicKey.export({ format: 'jwk' });
      return ok({ keys: [{ ...jwk, kid: 'one', alg: 'RS256', use: 'sig' }] });
    }
    if (this.tokenAnswer !== undefined) return this.tokenAnswer;
    return ok({ access_token: 'x', token_type: 'bearer', id_token: this.#idToken() });
  }

  #idToken(): string {
    const { claims, algorithm = 'RS256', key = this.#key.privateKey } = this.token;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: algorithm, kid: 'one' })}.${part(claims)}`;
    if (algorithm === 'none') return `${body}.`;
    return `${body}.${sign('sha256', Buffer.from(body), key).toString('base64url')}`;
  }
}

/** A key that the provider does not publish. */
export function strangersKey(): KeyObject {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}
