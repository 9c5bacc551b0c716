/** What the tests use of oidc-provider, which brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Interaction {
    readonly result?: { readonly login?: { readonly accountId: string; amr?: unknown } };
    save(seconds: number): Promise<void>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    readonly Interaction: { find(id: string): Promise<Interaction | undefined> };
    use(middleware: (context: { path: string }, next: () => Promise<void>) => Promise<void>): void;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  }
}
