import type { Clock } from '../../../runtime/ports/clock.ts';
import { ServerError } from '../../errors.ts';
import type { HttpAnswer, HttpExchange } from './http.ts';

/** How the server proves itself to the store. */
export type OpenbaoLogin =
  | { readonly kind: 'token'; readonly readToken: () => Promise<string> }
  | {
      readonly kind: 'approle';
      readonly roleId: string;
      readonly readSecretId: () => Promise<string>;
      /** Of the auth method; "approle" by default. */
      readonly mount: string;
    };

export interface OpenbaoClientOptions {
  /** "https://host:8200", without a slash at the end. */
  readonly url: string;
  /** '' = none. */
  readonly namespace: string;
  readonly login: OpenbaoLogin;
  readonly ca: string | undefined;
  /** Of one exchange. */
  readonly timeoutMs: number;
  readonly exchange: HttpExchange;
  readonly clock: Pick<Clock, 'after'>;
}

/** Attempts of one request; what is refused for what it is is not tried again. */
const attempts = 3;
const firstPauseMs = 100;
const passing: ReadonlySet<number> = new Set([412, 429, 500, 502, 503, 504]);

/**
 * Requests to OpenBao or Vault (https://openbao.org/api-docs/): token in `X-Vault-Token`, a new login
 * when it is refused, a few attempts when the store is busy or sealed.
 */
export class OpenbaoClient {
  readonly #options: OpenbaoClientOptions;
  #token: Promise<string> | undefined;

  constructor(options: OpenbaoClientOptions) {
    this.#options = options;
  }

  /** Throws SECRETS_UNAVAILABLE, _DENIED or _BAD_ANSWER. Undefined: 404. */
  async call(method: string, path: string, body?: object, type?: string): Promise<unknown> {
    const first = await this.#withToken(method, path, body, type);
    const answer = first.status === 403 ? await this.#again(method, path, body, type) : first;
    if (answer.status === 404) return undefined;
    if (answer.status === 403)
      throw new ServerError('SECRETS_DENIED', { reason: `403 for ${path}` });
    return parsed(answer, path);
  }

  async #again(method: string, path: string, body?: object, type?: string): Promise<HttpAnswer> {
    this.#token = undefined;
    return await this.#withToken(method, path, body, type);
  }

  async #withToken(
    method: string,
    path: string,
    body: object | undefined,
    type: string | undefined,
  ): Promise<HttpAnswer> {
    this.#token ??= this.#login();
    let token: string;
    try {
      token = await this.#token;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
    const extra: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    return await this.#send(method, path, body, { 'x-vault-token': token, ...extra });
  }

  async #login(): Promise<string> {
    const { login } = this.#options;
    if (login.kind === 'token') return await login.readToken();
    const body = { role_id: login.roleId, secret_id: await login.readSecretId() };
    const path = `auth/${login.mount}/login`;
    const answer = await this.#send('POST', path, body, {});
    if (answer.status === 400 || answer.status === 403)
      throw new ServerError('SECRETS_DENIED', { reason: 'the AppRole login was refused' });
    const token = (parsed(answer, path) as { auth?: { client_token?: unknown } }).auth
      ?.client_token;
    if (typeof token === 'string' && token !== '') return token;
    throw new ServerError('SECRETS_BAD_ANSWER', { reason: 'the login gave no token' });
  }

  async #send(
    method: string,
    path: string,
    body: object | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer> {
    const { url, namespace, ca, timeoutMs, exchange } = this.#options;
    const request = {
      method,
      url: `${url}/v1/${path}`,
      headers: {
        'x-vault-request': 'true',
        ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
        ...headers,
      },
      ca,
      timeoutMs,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    let reason = '';
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await this.#pause(firstPauseMs * 2 ** (attempt - 1));
      try {
        const answer = await exchange(request);
        if (!passing.has(answer.status)) return answer;
        reason = `HTTP ${answer.status}`;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    throw new ServerError('SECRETS_UNAVAILABLE', { reason: `${url}: ${reason}` });
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(milliseconds, resolve);
    });
  }
}

/** What the store answers must never reach a message: it may hold values. */
function parsed({ status, body }: HttpAnswer, path: string): unknown {
  if (status < 200 || status > 299)
    throw new ServerError('SECRETS_BAD_ANSWER', { reason: `HTTP ${status} for ${path}` });
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new ServerError('SECRETS_BAD_ANSWER', { reason: `no JSON for ${path}` });
  }
}
