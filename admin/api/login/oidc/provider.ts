import { readFile } from 'node:fs/promises';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { ServerConfig } from '../../../../actors/server/config/config.ts';
import { AdminError } from '../../../errors.ts';
import { OnceOnly } from '../once-only.ts';
import { Handovers } from './handover.ts';
import { providerFetch } from './https-fetch.ts';
import { type PendingLogin, pendingLifeMs } from './pending-login.ts';
import { refusalOf } from './refusal.ts';

export type OidcSettings = ServerConfig['oidc'];

/** What the ID token says; its signature, issuer, audience, times and nonce were checked. */
export type ProvenClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly sub: string;
};

/** A discovery document is asked for again after this long: keys and addresses move. */
const discoveryLifeMs = 3_600_000;

/**
 * The OpenID provider of server.yaml: authorization code with PKCE, state and nonce (OpenID Connect
 * Core 1.0, RFC 7636, RFC 9207). Everything is refused with a code of OIDC_*.
 */
export class OpenIdProvider {
  readonly settings: OidcSettings;
  readonly handovers: Handovers;
  readonly #nowMs: () => number;
  readonly #used: OnceOnly;
  #known: { readonly configuration: Promise<Configuration>; readonly untilMs: number } | undefined;

  constructor(settings: OidcSettings, nowMs: () => number) {
    this.settings = settings;
    this.#nowMs = nowMs;
    this.#used = new OnceOnly(nowMs);
    this.handovers = new Handovers(nowMs);
  }

  /** Where to send the browser, and what it has to bring back. */
  async begin(
    redirectUri: string,
    next: string,
  ): Promise<{ readonly url: string; readonly pending: PendingLogin }> {
    const configuration = await this.#configuration();
    const pending: PendingLogin = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      redirectUri,
      next,
      expiresAtMs: this.#nowMs() + pendingLifeMs,
    };
    const { scopes, factorAcr } = this.settings;
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      response_type: 'code',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      ...(factorAcr.length === 0 ? {} : { acr_values: factorAcr.join(' ') }),
    });
    return { url: url.href, pending };
  }

  /** `query` is what the provider sent the browser back with. Once for each login. */
  async finish(query: string, pending: PendingLogin): Promise<ProvenClaims> {
    const parameters = new URLSearchParams(query);
    if (parameters.get('state') !== pending.state) throw new AdminError('OIDC_STATE_MISMATCH');
    if (!this.#used.use(pending.state, pending.expiresAtMs)) throw new AdminError('OIDC_NO_LOGIN');
    const configuration = await this.#configuration();
    refuseOtherIssuer(parameters.get('iss'), configuration);
    const answer = new URL(pending.redirectUri);
    answer.search = query;
    try {
      const tokens = await authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new AdminError('OIDC_TOKEN_INVALID', 'there is none');
      return await this.#withUserInfo(configuration, claims, tokens.access_token);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /**
   * Many providers tell groups and mail addresses only there. What the ID token says wins, and how somebody
   * was proven counts only there, where it is signed and of this login.
   */
  async #withUserInfo(
    configuration: Configuration,
    claims: ProvenClaims,
    accessToken: string,
  ): Promise<ProvenClaims> {
    const { nameClaim, groupsClaim } = this.settings;
    const wanted = [nameClaim, groupsClaim, 'email'];
    const { userinfo_endpoint: endpoint } = configuration.serverMetadata();
    if (endpoint === undefined || wanted.every((claim) => claims[claim] !== undefined)) {
      return claims;
    }
    const {
      amr: _amr,
      acr: _acr,
      ...told
    } = await fetchUserInfo(configuration, accessToken, claims.sub);
    return { ...told, ...claims };
  }

  async #configuration(): Promise<Configuration> {
    const now = this.#nowMs();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      const configuration = this.#discover();
      this.#known = { configuration, untilMs: now + discoveryLifeMs };
    }
    const { configuration } = this.#known;
    try {
      return await configuration;
    } catch (error) {
      // The next login asks again.
      if (this.#known?.configuration === configuration) this.#known = undefined;
      throw refusalOf(error);
    }
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecretFile, caFile, timeoutMs } = this.settings;
    const plain = issuer.startsWith('http:');
    return await discovery(
      new URL(issuer),
      clientId,
      undefined,
      clientSecretFile === '' ? None() : secretOf(clientSecretFile),
      {
        timeout: timeoutMs / 1000,
        [customFetch]: providerFetch(caFile === '' ? undefined : await readFile(caFile, 'utf8')),
        // The signature is checked too, not only that the token came from the provider's address.
        execute: [enableNonRepudiationChecks, ...(plain ? [allowInsecureRequests] : [])],
      },
    );
  }
}

/** RFC 9207: an answer of another provider must not be taken to this one. */
function refuseOtherIssuer(issuer: string | null, configuration: Configuration): void {
  const { issuer: expected, authorization_response_iss_parameter_supported: always } =
    configuration.serverMetadata();
  if (issuer === expected || (issuer === null && always !== true)) return;
  throw new AdminError('OIDC_ISSUER_MISMATCH', issuer?.slice(0, 200));
}

/** The secret is read at each login: a new one needs no restart. */
function secretOf(file: string): ClientAuth {
  return async (server, client, body, headers) => {
    const secret = (await readFile(file, 'utf8')).trim();
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const basic = methods.includes('client_secret_basic');
    const prove = basic ? ClientSecretBasic(secret) : ClientSecretPost(secret);
    await prove(server, client, body, headers);
  };
}
