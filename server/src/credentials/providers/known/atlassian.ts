import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://developer.atlassian.com/cloud/oauth/getting-started/implementing-oauth-3lo/: audience and prompt are needed, tokens are
// asked for as JSON, refresh tokens rotate and come with offline_access.
export const atlassian: KnownProvider = {
  id: 'atlassian',
  label: 'Atlassian',
  docsUrl: 'https://developer.atlassian.com/cloud/oauth/getting-started/implementing-oauth-3lo/',
  registerUrl: 'https://developer.atlassian.com/console/myapps/',
  registerNote:
    'Make an OAuth 2.0 integration, add the APIs whose scopes tools ask for and read:me of the User identity API, enter the redirect URI below Authorization, and share the app below Distribution.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://auth.atlassian.com/authorize',
      token: 'https://auth.atlassian.com/oauth/token',
      client: 'body',
      json: true,
      scope: 'offline_access read:me {{scopes}} {{existing_scopes}}',
      with: { audience: 'api.atlassian.com', prompt: 'consent' },
    }),
    user_info_request: userInfo('https://api.atlassian.com/me'),
    account: { subject: '$.account_id', name: '$.email' },
  },
  defaultScopes: ['read:me'],
  advice: {
    unauthorized_client:
      'An administrator has to share the app at Atlassian (Distribution), and to check its client id and secret.',
  },
};
