import { json, type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/**
 * Errors are told with status 200, in a form unless JSON is asked for; scopes of answers are joined by commas; nothing ends and
 * nothing is refreshed; a redirect URI that is not registered is told at the one that is.
 */
const quirk: Quirk = {
  name: 'github',
  paths: {
    '/login/oauth/authorize': 'authorize',
    '/login/oauth/access_token': 'token',
    '/user': 'user_info',
    '/applications/github-client/grant': 'revoke',
    '/applications/github-client/token': 'revoke',
  },
  delimiter: ' ',
  clientAuth: 'either',
  tokenBody: 'form',
  prefixes: ['gho_', 'ghr_'],
  lifeS: null,
  rotates: false,
  refreshes: () => false,
  revokedBy: 'client',
  mismatchGoesTo: ({ redirectUris }) => [...redirectUris][0] ?? null,
  tokenAnswer: ({ grant, accessToken }) => ({
    access_token: accessToken,
    scope: grant.scopes.join(','),
    token_type: 'bearer',
  }),
  errorAnswer: ({ error }) => {
    const code = { invalid_grant: 'bad_verification_code', invalid_client: 'incorrect_client_credentials' }[
      error
    ];
    return {
      status: 200,
      body: { error: code ?? error, error_description: 'The code passed is incorrect.' },
    };
  },
  encode(body, { headers }) {
    if (headers.accept?.includes('application/json')) return json(200, body);
    const form = new URLSearchParams(body as Record<string, string>);
    return {
      status: 200,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: form.toString(),
    };
  },
  userInfo: ({ user }) => ({
    login: user.login,
    id: Number.parseInt(user.id.slice(0, 8), 16),
    name: user.name,
    email: user.email,
  }),
  settings: (origin) => ({
    scope_delimiter: ' ',
    authorize_request: {
      endpoint: `${origin}/login/oauth/authorize`,
      params: {
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        scope: '{{scopes}} {{existing_scopes}}',
      },
    },
    token_request: {
      endpoint: `${origin}/login/oauth/access_token`,
      params: {
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        redirect_uri: '{{redirect_uri}}',
      },
      request_content_type: 'application/x-www-form-urlencoded',
      response_content_type: 'application/json',
      response_map: { access_token: '$.access_token', scope: '$.scope', token_type: '$.token_type' },
    },
    user_info_request: {
      endpoint: `${origin}/user`,
      method: 'GET',
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
  }),
};

export const startGitHub = (options?: StandInOptions): Promise<StandIn> => startStandIn(quirk, options);
