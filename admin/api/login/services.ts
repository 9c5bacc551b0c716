import type { LoginChallenges } from './challenges.ts';
import type { PendingLogins } from './oidc/pending-login.ts';
import type { OpenIdProvider } from './oidc/provider.ts';

/** What proves people besides passwords. */
export interface LoginServices {
  readonly challenges: LoginChallenges;
  /** Absent: server.yaml names none. */
  readonly provider: OpenIdProvider | undefined;
  readonly pendings: PendingLogins;
}
