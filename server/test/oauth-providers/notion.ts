import { type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/** Client authentication only by HTTP Basic, requests for tokens only in JSON, no scopes; a token has no end and no renewal. */
const quirk: Quirk = {
  name: 'notion',
  paths: {
    '/v1/oauth/authorize': 'authorize',
    '/v1/oauth/token': 'token',
    '/v1/oauth/revoke': 'revoke',
    '/v1/oauth/introspect': 'introspect',
    '/v1/users/me': 'user_info',
  },
  delimiter: ' ',
  clientAuth: 'basic',
  tokenBody: 'json',
  prefixes: ['ntn_', 'nrt_'],
  lifeS: null,
  rotates: false,
  refreshes: () => false,
  revokedBy: 'client',
  refusesPage: (asked) => (asked.get('owner') === 'user' ? null : 'Missing owner=user'),
  tokenAnswer: ({ grant: { user }, accessToken }) => ({
    access_token: accessToken,
    token_type: 'bearer',
    bot_id: `bot-${user.id}`,
    workspace_id: 'w1',
    workspace_name: 'Harbour',
    workspace_icon: null,
    owner: {
      type: 'user',
      user: { object: 'user', id: user.id, name: user.name, person: { email: user.email } },
    },
    duplicated_template_id: null,
    request_id: 'r1',
  }),
  userInfo: ({ user }) => ({
    object: 'user',
    id: `bot-${user.id}`,
    type: 'bot',
    bot: { owner: { type: 'user', user: { id: user.id, name: user.name, person: { email: user.email } } } },
  }),
  settings: (origin) => ({
    authorize_request: {
      endpoint: `${origin}/v1/oauth/authorize`,
      params: { client_id: '{{client_id}}', redirect_uri: '{{redirect_uri}}', owner: 'user' },
    },
    token_request: {
      endpoint: `${origin}/v1/oauth/token`,
      auth_method: 'client_secret_basic',
      request_content_type: 'application/json',
      params: { redirect_uri: '{{redirect_uri}}' },
    },
    user_info_request: {
      endpoint: `${origin}/v1/users/me`,
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
    revocation_request: {
      endpoint: `${origin}/v1/oauth/revoke`,
      auth_method: 'client_secret_basic',
      request_content_type: 'application/json',
      params: { token: '{{access_token}}' },
    },
  }),
};

export const startNotion = (options?: StandInOptions): Promise<StandIn> => startStandIn(quirk, options);
