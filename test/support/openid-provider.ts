import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import type { Test } from 'tap';

/** What the provider knows of a person, by the name that they log in with. */
export type People = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface OpenIdProviderHandle {
  readonly issuer: string;
  /** What a browser does there for a person, from where we sent it to where the provider sends it back. */
  logIn(authorizationUrl: string, person: string): Promise<URL>;
}

export const testClient = { id: 'vigo', secret: 'a secret of the test' };

/** A real, certified OpenID provider on this machine, with one client; the addresses may come later. */
export async function openIdProvider(
  t: Pick<Test, 'teardown'>,
  people: People,
  redirectUris: readonly string[],
): Promise<OpenIdProviderHandle> {
  const server = createServer();
  let handle: ReturnType<Provider['callback']> | undefined;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', (request, response) => {
    handle ??= providerOf(issuer, people, redirectUris);
    void handle(request, response);
  });
  return { issuer, logIn: (url, person) => new Browser(issuer).logIn(url, person) };
}

function providerOf(issuer: string, people: People, redirectUris: readonly string[]) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: testClient.id,
        client_secret: testClient.secret,
        redirect_uris: redirectUris,
        response_types: ['code'],
      },
    ],
    claims: {
      openid: ['sub', 'amr'],
      email: ['email', 'email_verified'],
      profile: ['preferred_username', 'name', 'groups'],
    },
    pkce: { required: () => true },
    cookies: { keys: ['of the test'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    }),
  });
  provider.use((context, next) => tellMethods(provider, people, context.path, next));
  return provider.callback();
}

/** The provider's own login form does not say how it has proven somebody: `amr` of the person does. */
async function tellMethods(
  provider: Provider,
  people: People,
  path: string,
  next: () => Promise<void>,
): Promise<void> {
  const [, id] = /^\/auth\/([\w-]+)$/.exec(path) ?? [];
  const interaction = id === undefined ? undefined : await provider.Interaction.find(id);
  const login = interaction?.result?.login;
  if (login !== undefined) {
    login.amr = people[login.accountId]?.amr;
    await interaction?.save(interactionSeconds);
  }
  await next();
}

const interactionSeconds = 600;
const stepsMax = 20;

/** As much of a browser as the provider's forms need. */
class Browser {
  readonly #issuer: string;
  readonly #cookies = new Map<string, string>();

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  async logIn(start: string, person: string): Promise<URL> {
    let next = new URL(start);
    for (let step = 0; step < stepsMax; step++) {
      if (next.origin !== this.#issuer) return next;
      let response = await this.#send(next);
      if (response.status === 200) {
        const page = await response.text();
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? '';
        const form = new URLSearchParams({ prompt, login: person, password: 'any' });
        response = await this.#send(next, form);
      }
      const location = response.headers.get('location');
      if (location === null) throw new Error(`the provider: ${await response.text()}`);
      next = new URL(location, next);
    }
    throw new Error('the provider sends browsers in a circle');
  }

  async #send(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }
}
