/** Refusals about logins by key and by OpenID provider; part of the registry in admin/errors.ts. */
export const loginErrors = {
  LOGIN_CHALLENGE_INVALID: {
    message: 'this challenge is not of this server, or it has ended or was used',
    remedy: 'ask for a new one; each may be used once, within a minute',
    httpStatus: 401,
    exitCode: 4,
  },
  LOGIN_SIGNATURE_INVALID: {
    message: 'the signature is not good',
    remedy: 'sign the challenge as it is with: ssh-keygen -Y sign -n vigo-login',
    httpStatus: 401,
    exitCode: 4,
  },
  LOGIN_KEY_REFUSED: {
    message: 'none of these keys may log in to that account',
    remedy: 'check the name; an administrator can add a key: vigocli users add-key NAME FILE',
    httpStatus: 401,
    exitCode: 4,
  },
  LOGIN_KEY_INVALID: {
    message: 'this is no key that can be used',
    remedy: 'give the line of an Ed25519 public key; ssh-keygen -t ed25519 makes one',
    httpStatus: 400,
    exitCode: 64,
  },
  OIDC_OFF: {
    message: 'this server does not know an OpenID provider',
    remedy: 'set oidc.issuer and oidc.client_id in server.yaml; docs/login.md explains it',
    httpStatus: 404,
    exitCode: 1,
  },
  OIDC_UNREACHABLE: {
    message: 'the OpenID provider does not answer as it should',
    remedy: 'try again; when it stays so, an administrator should check oidc.issuer in server.yaml',
    httpStatus: 503,
    exitCode: 5,
  },
  OIDC_NO_LOGIN: {
    message: 'this browser has no login under way, or it took too long',
    remedy: 'begin again on the login page, in the same browser',
    httpStatus: 400,
    exitCode: 4,
  },
  OIDC_STATE_MISMATCH: {
    message: 'the answer of the provider belongs to another login',
    remedy: 'begin again on the login page; do not follow links that others sent you',
    httpStatus: 400,
    exitCode: 4,
  },
  OIDC_NONCE_MISMATCH: {
    message: 'the ID token was made for another login',
    remedy: 'begin again on the login page; when it happens again, tell your administrator',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_AUDIENCE_MISMATCH: {
    message: 'the ID token was made for another program',
    remedy: 'an administrator should compare oidc.client_id with the client at the provider',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_ISSUER_MISMATCH: {
    message: 'the answer comes from another provider than the one that was asked',
    remedy: 'an administrator should compare oidc.issuer with what the provider says of itself',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_TOKEN_EXPIRED: {
    message: 'the ID token has expired, or is not valid yet',
    remedy: 'begin again; when it happens again, compare the clocks of server and provider',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_TOKEN_INVALID: {
    message: 'the ID token is not good',
    remedy: 'begin again; when it happens again, tell your administrator',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_REFUSED: {
    message: 'the OpenID provider refused the login',
    remedy: 'begin again; the provider decides who may use this program',
    httpStatus: 401,
    exitCode: 4,
  },
  OIDC_NOT_ALLOWED: {
    message: 'you may not log in here',
    remedy: 'ask an administrator; oidc.allowed_domains, allowed_groups and roles decide it',
    httpStatus: 403,
    exitCode: 4,
  },
  OIDC_NOT_LINKED: {
    message: 'nobody here is linked to your account at the provider',
    remedy: 'an administrator can do it: vigocli users link NAME --subject SUBJECT',
    httpStatus: 403,
    exitCode: 4,
  },
} as const;
