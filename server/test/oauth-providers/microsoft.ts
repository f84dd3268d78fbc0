import { type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/**
 * Refresh tokens come with `offline_access` and rotate: a used one is worth nothing, unless `graceMs` says for how long it still is.
 * `resource` is refused wherever it comes.
 */
const quirk: Quirk = {
  name: 'microsoft',
  paths: {
    '/common/oauth2/v2.0/authorize': 'authorize',
    '/common/oauth2/v2.0/token': 'token',
    '/organizations/oauth2/v2.0/authorize': 'authorize',
    '/organizations/oauth2/v2.0/token': 'token',
    '/v1.0/me': 'user_info',
    '/oidc/userinfo': 'user_info',
  },
  delimiter: ' ',
  clientAuth: 'either',
  tokenBody: 'form',
  prefixes: ['EwB', 'M.C5_'],
  lifeS: 3599,
  rotates: true,
  refreshes: (asked) => asked.get('scope')?.split(' ').includes('offline_access') === true,
  revokedBy: 'client',
  refuses: (asked) =>
    asked.has('resource')
      ? {
          error: 'invalid_target',
          error_description:
            "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.",
        }
      : null,
  tokenAnswer: ({ grant, accessToken, refreshToken, lifeS }) => ({
    token_type: 'Bearer',
    scope: grant.scopes.filter((scope) => scope !== 'offline_access').join(' '),
    expires_in: lifeS,
    ext_expires_in: lifeS,
    access_token: accessToken,
    ...(refreshToken !== null && { refresh_token: refreshToken }),
  }),
  errorAnswer: ({ error, error_description = '' }, status) => ({
    status,
    body: { error, error_description, error_codes: [9010010], correlation_id: 'c', trace_id: 't' },
  }),
  userInfo: ({ user }, { path }) =>
    path === '/v1.0/me'
      ? { id: user.id, displayName: user.name, mail: user.email, userPrincipalName: user.email }
      : { sub: user.id, name: user.name, email: user.email },
  settings: (origin) => ({
    scope_delimiter: ' ',
    authorize_request: {
      endpoint: `${origin}/common/oauth2/v2.0/authorize`,
      params: {
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        scope: '{{scopes}} {{existing_scopes}} offline_access',
      },
    },
    token_request: {
      endpoint: `${origin}/common/oauth2/v2.0/token`,
      params: {
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        redirect_uri: '{{redirect_uri}}',
      },
    },
    refresh_request: {
      endpoint: `${origin}/common/oauth2/v2.0/token`,
      params: {
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        refresh_token: '{{refresh_token}}',
      },
    },
    user_info_request: {
      endpoint: `${origin}/v1.0/me`,
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
  }),
};

export const startMicrosoft = (options?: StandInOptions): Promise<StandIn> => startStandIn(quirk, options);
