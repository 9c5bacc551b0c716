import { AdminError } from '../../../errors.ts';
import type { OpenIdProvider } from './provider.ts';

const loginPath = '/api/v1/login/oidc';
const callbackPath = '/api/v1/login/oidc/callback';

/** Where the provider sends browsers back to: as server.yaml says, else where the browser is now. */
export function redirectAddress({ settings }: OpenIdProvider, host: string | undefined): string {
  const address = settings.redirectUrl || `https://${host ?? 'localhost'}${callbackPath}`;
  if (!URL.canParse(address)) throw new AdminError('API_BAD_REQUEST', 'the Host header');
  return address;
}

/** Where a login begins, under the same name: a browser keeps its cookie for one name only. */
export function loginAddress(provider: OpenIdProvider, host: string | undefined): string {
  return new URL(loginPath, redirectAddress(provider, host)).href;
}
