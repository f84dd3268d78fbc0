/** A person as a company's identity provider knows them. */
export interface IdpUser {
  readonly sub: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string;
  readonly preferredUsername?: string;
  /** Of Entra: ids; elsewhere names. */
  readonly groups?: readonly string[];
  readonly roles?: readonly string[];
  /** Entra's id of the person over all applications. */
  readonly oid?: string;
  /** Google's Workspace domain. */
  readonly hd?: string;
  /** On top of all others. */
  readonly claims?: { readonly [name: string]: unknown };
}

export type IdpPreset = 'entra' | 'okta' | 'google' | 'keycloak' | 'plain';

type Claims = { [name: string]: unknown };

/** What about a company's provider differs from the next one's, as clients notice it. */
export interface PresetBehaviour {
  /** The issuer's path, and where its endpoints lie below `mount`. */
  readonly issuerPath: string;
  readonly mount: string;
  readonly routes: { readonly [route: string]: string };
  /** Scopes that it knows; a request for any other is refused where `refusesScopes`. */
  readonly scopes: readonly string[];
  readonly refusesScopes: boolean;
  readonly tokenAuth: readonly string[];
  /** Whether it says in its answer to the browser who answers (RFC 9207). */
  readonly saysIssuer: boolean;
  readonly saysPkce: boolean;
  /** How it refuses a client's secret. */
  readonly secretRefused: string;
  /** In the words of its token endpoint: what `resource` is answered with; null: it is passed over. */
  readonly resourceRefused: string | null;
  idToken(user: IdpUser, scopes: ReadonlySet<string>): Claims;
  userinfo(user: IdpUser, scopes: ReadonlySet<string>): Claims;
}

export const entraTenant = 'c6f1c9f2-1f0b-4a51-9d6b-0b1f7a4d2e11';

function withProfile(user: IdpUser, scopes: ReadonlySet<string>): Claims {
  return scopes.has('profile') ? { name: user.name, preferred_username: user.preferredUsername } : {};
}

function withEmail(user: IdpUser, scopes: ReadonlySet<string>): Claims {
  if (!scopes.has('email') || user.email === undefined) return {};
  return { email: user.email, email_verified: user.emailVerified ?? true };
}

const plainRoutes = { authorization: '/authorize', token: '/token', jwks: '/jwks', userinfo: '/userinfo' };

export const behaviours: Readonly<Record<IdpPreset, PresetBehaviour>> = {
  plain: {
    issuerPath: '',
    mount: '',
    routes: plainRoutes,
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    refusesScopes: false,
    tokenAuth: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    saysIssuer: true,
    saysPkce: true,
    secretRefused: 'client authentication failed',
    resourceRefused: null,
    idToken: (user, scopes) => ({
      ...withProfile(user, scopes),
      ...withEmail(user, scopes),
      ...(user.groups === undefined ? {} : { groups: user.groups }),
    }),
    userinfo: (user, scopes) => ({ ...withProfile(user, scopes), ...withEmail(user, scopes) }),
  },

  // `oid` and `preferred_username` come with `profile`; `email` only where the app asks for it as an optional claim and is never
  // vouched for; groups are ids. Its userinfo knows no groups.
  entra: {
    issuerPath: `/${entraTenant}/v2.0`,
    mount: `/${entraTenant}`,
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      jwks: '/discovery/v2.0/keys',
      userinfo: '/oidc/userinfo',
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    refusesScopes: true,
    tokenAuth: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    saysIssuer: false,
    saysPkce: false,
    secretRefused:
      "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'. Trace ID: 7b0f0d7e-0000 Correlation ID: 1f3a-0000 Timestamp: 2026-10-01 10:00:00Z",
    resourceRefused:
      "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.",
    idToken: (user, scopes) => ({
      tid: entraTenant,
      ver: '2.0',
      ...(scopes.has('profile') ? { ...withProfile(user, scopes), oid: user.oid ?? `oid-${user.sub}` } : {}),
      ...(scopes.has('email') && user.claims?.email !== undefined ? { email: user.claims.email } : {}),
      ...(user.groups === undefined ? {} : { groups: user.groups }),
    }),
    userinfo: (user, scopes) => ({
      ...(scopes.has('profile') ? { name: user.name } : {}),
      ...(scopes.has('email') ? { email: user.email } : {}),
    }),
  },

  // A custom authorization server. Its ID token is thin when an access token comes with it: what is configured for
  // "Userinfo / id_token request", as groups are unless one changes it, stands in userinfo alone.
  okta: {
    issuerPath: '/oauth2/default',
    mount: '/oauth2/default',
    routes: {
      authorization: '/v1/authorize',
      token: '/v1/token',
      jwks: '/v1/keys',
      userinfo: '/v1/userinfo',
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    refusesScopes: true,
    tokenAuth: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    saysIssuer: false,
    saysPkce: true,
    secretRefused: 'The client secret supplied for a confidential client is invalid.',
    resourceRefused: null,
    idToken: (user, scopes) => ({
      ver: 1,
      ...withProfile(user, scopes),
      ...(scopes.has('email') ? { email: user.email } : {}),
    }),
    userinfo: (user, scopes) => ({
      ...withProfile(user, scopes),
      ...withEmail(user, scopes),
      groups: user.groups ?? [],
    }),
  },

  google: {
    issuerPath: '',
    mount: '',
    routes: {
      authorization: '/o/oauth2/v2/auth',
      token: '/token',
      jwks: '/oauth2/v3/certs',
      userinfo: '/v1/userinfo',
    },
    scopes: ['openid', 'profile', 'email'],
    refusesScopes: true,
    tokenAuth: ['client_secret_post', 'client_secret_basic'],
    saysIssuer: true,
    saysPkce: true,
    secretRefused: 'Unauthorized',
    resourceRefused: null,
    idToken: (user, scopes) => ({
      ...(scopes.has('profile') ? { name: user.name } : {}),
      ...withEmail(user, scopes),
      ...(user.hd === undefined ? {} : { hd: user.hd }),
    }),
    userinfo: (user, scopes) => ({ name: user.name, ...withEmail(user, scopes), hd: user.hd }),
  },

  keycloak: {
    issuerPath: '/realms/acme',
    mount: '/realms/acme',
    routes: {
      authorization: '/protocol/openid-connect/auth',
      token: '/protocol/openid-connect/token',
      jwks: '/protocol/openid-connect/certs',
      userinfo: '/protocol/openid-connect/userinfo',
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    refusesScopes: true,
    tokenAuth: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    saysIssuer: true,
    saysPkce: true,
    secretRefused: 'Invalid client or Invalid client credentials',
    resourceRefused: null,
    idToken: (user, scopes) => ({
      typ: 'ID',
      ...withProfile(user, scopes),
      ...withEmail(user, scopes),
      realm_access: { roles: user.roles ?? ['offline_access'] },
      ...(user.groups === undefined ? {} : { groups: user.groups.map((group) => `/${group}`) }),
    }),
    userinfo: (user, scopes) => ({ ...withProfile(user, scopes), ...withEmail(user, scopes) }),
  },
};
