import { type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/** The user's scopes are in `user_scope`, with commas; the user's token is in `authed_user`; errors are `ok: false` with 200. */
const quirk: Quirk = {
  name: 'slack',
  paths: {
    '/oauth/v2/authorize': 'authorize',
    '/api/oauth.v2.access': 'token',
    '/api/auth.test': 'user_info',
    '/api/users.identity': 'user_info',
    '/api/openid.connect.userInfo': 'user_info',
    '/api/auth.revoke': 'revoke',
  },
  delimiter: ',',
  scopeParam: 'user_scope',
  clientAuth: 'either',
  tokenBody: 'form',
  prefixes: ['xoxp-', 'xoxe-'],
  lifeS: null,
  rotates: false,
  refreshes: () => false,
  revokedBy: 'bearer',
  tokenAnswer: ({ grant, accessToken }) => ({
    ok: true,
    app_id: 'A1',
    authed_user: {
      id: `U${grant.user.id}`,
      scope: grant.scopes.join(','),
      access_token: accessToken,
      token_type: 'user',
    },
    team: { id: 'T1', name: 'Harbour' },
    enterprise: null,
  }),
  errorAnswer: ({ error }) => {
    const code = {
      invalid_grant: 'invalid_code',
      invalid_client: 'bad_client_secret',
      invalid_token: 'invalid_auth',
    };
    return { status: 200, body: { ok: false, error: code[error as keyof typeof code] ?? error } };
  },
  userInfo: ({ user }, { path }) =>
    path.endsWith('userInfo')
      ? {
          ok: true,
          sub: `U${user.id}`,
          'https://slack.com/user_id': `U${user.id}`,
          email: user.email,
          name: user.name,
        }
      : {
          ok: true,
          team: 'Harbour',
          user: path.endsWith('auth.test')
            ? user.login
            : { id: `U${user.id}`, name: user.name, email: user.email },
          team_id: 'T1',
          user_id: `U${user.id}`,
        },
  settings: (origin) => ({
    scope_delimiter: ',',
    authorize_request: {
      endpoint: `${origin}/oauth/v2/authorize`,
      params: {
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        user_scope: '{{scopes}},{{existing_scopes}}',
      },
    },
    token_request: {
      endpoint: `${origin}/api/oauth.v2.access`,
      auth_method: 'client_secret_basic',
      params: { redirect_uri: '{{redirect_uri}}' },
      response_map: { access_token: '$.authed_user.access_token', scope: '$.authed_user.scope' },
    },
    user_info_request: {
      endpoint: `${origin}/api/auth.test`,
      method: 'POST',
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
    revocation_request: { endpoint: `${origin}/api/auth.revoke`, auth_method: 'bearer_access_token' },
  }),
};

export const startSlack = (options?: StandInOptions): Promise<StandIn> => startStandIn(quirk, options);
