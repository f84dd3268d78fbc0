import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://developers.miro.com/docs/getting-started-with-oauth: scopes are those of the app; a token is of a user in one team;
// refresh tokens rotate.
export const miro: KnownProvider = {
  id: 'miro',
  label: 'Miro',
  docsUrl: 'https://developers.miro.com/docs/getting-started-with-oauth',
  registerUrl: 'https://miro.com/app/settings/user-profile/apps',
  registerNote:
    'Make an app with expiring user authorization tokens, enter the redirect URI below OAuth2.0, and tick the scopes that tools ask for: they are not asked for one by one.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://miro.com/oauth/authorize',
      token: 'https://api.miro.com/v1/oauth/token',
      client: 'body',
      scope: null,
    }),
    user_info_request: userInfo('https://api.miro.com/v1/oauth-token'),
    revocation_request: {
      endpoint: 'https://api.miro.com/v2/oauth/revoke',
      request_content_type: 'application/json',
      params: {
        accessToken: '{{access_token}}',
        clientId: '{{client_id}}',
        clientSecret: '{{client_secret}}',
      },
    },
    account: { subject: '$.team.id', name: '$.team.name' },
  },
  defaultScopes: [],
};
