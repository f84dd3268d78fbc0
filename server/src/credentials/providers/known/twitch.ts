import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/: scopes come as a list; the token is validated with "OAuth" in
// the header, which says who the user is.
export const twitch: KnownProvider = {
  id: 'twitch',
  label: 'Twitch',
  docsUrl: 'https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/',
  registerUrl: 'https://dev.twitch.tv/console/apps',
  registerNote:
    'Register an application of the client type Confidential, with the redirect URI among its OAuth redirect URLs.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://id.twitch.tv/oauth2/authorize',
      token: 'https://id.twitch.tv/oauth2/token',
      client: 'body',
    }),
    user_info_request: {
      ...userInfo('https://id.twitch.tv/oauth2/validate'),
      auth_header_value_format: 'OAuth {{access_token}}',
    },
    revocation_request: {
      endpoint: 'https://id.twitch.tv/oauth2/revoke',
      params: { client_id: '{{client_id}}', token: '{{access_token}}' },
    },
    account: { subject: '$.user_id', name: '$.login' },
  },
  defaultScopes: ['user:read:email'],
};
