import { type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/** By the book: S256 required, HTTP Basic or the body, refresh tokens that stay, introspection and revocation. */
export const plain: Quirk = {
  name: 'plain',
  paths: {
    '/authorize': 'authorize',
    '/token': 'token',
    '/userinfo': 'user_info',
    '/revoke': 'revoke',
    '/introspect': 'introspect',
  },
  delimiter: ' ',
  clientAuth: 'either',
  tokenBody: 'form',
  needsPkce: true,
  prefixes: ['at-', 'rt-'],
  lifeS: 3600,
  rotates: false,
  refreshes: () => true,
  revokedBy: 'client',
  tokenAnswer: ({ grant, accessToken, refreshToken, lifeS }) => ({
    access_token: accessToken,
    token_type: 'Bearer',
    scope: grant.scopes.join(' '),
    ...(lifeS !== null && { expires_in: lifeS }),
    ...(refreshToken !== null && { refresh_token: refreshToken }),
  }),
  userInfo: ({ user }) => ({ sub: user.id, name: user.name, email: user.email }),
  settings: (origin) => ({
    scope_delimiter: ' ',
    authorize_request: {
      endpoint: `${origin}/authorize`,
      params: {
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        scope: '{{scopes}} {{existing_scopes}}',
      },
    },
    token_request: {
      endpoint: `${origin}/token`,
      auth_method: 'client_secret_basic',
      params: { redirect_uri: '{{redirect_uri}}' },
    },
    refresh_request: {
      endpoint: `${origin}/token`,
      auth_method: 'client_secret_basic',
      params: { refresh_token: '{{refresh_token}}' },
    },
    user_info_request: {
      endpoint: `${origin}/userinfo`,
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
    revocation_request: {
      endpoint: `${origin}/revoke`,
      auth_method: 'client_secret_basic',
      params: { token: '{{refresh_token}}' },
    },
  }),
};

export const startPlain = (options?: StandInOptions): Promise<StandIn> => startStandIn(plain, options);
