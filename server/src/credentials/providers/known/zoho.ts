import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation, userInfo } from './code-flow.ts';

// https://www.zoho.com/accounts/protocol/oauth/web-apps.html: scopes are joined by commas; refresh tokens come with
// access_type=offline and prompt=consent, and stay; errors come with status 200; each data centre has its own host.
export const zoho: KnownProvider = {
  id: 'zoho',
  label: 'Zoho',
  docsUrl: 'https://www.zoho.com/accounts/protocol/oauth/web-apps.html',
  registerUrl: 'https://api-console.zoho.com/',
  registerNote:
    'Add a client of the type Server-based Applications with the redirect URI, in the API console of your data centre, and set the variable host to that one.',
  variables: {
    host: {
      label: 'the accounts host of the data centre',
      example: 'accounts.zoho.eu',
      default: 'accounts.zoho.com',
      pattern: /^accounts\.(?:zoho\.(?:com|eu|in|com\.au|jp|sa|com\.cn|uk|ae)|zohocloud\.ca)$/,
    },
  },
  settings: {
    scope_delimiter: ',',
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://{{host}}/oauth/v2/auth',
      token: 'https://{{host}}/oauth/v2/token',
      client: 'body',
      scope: 'AaaServer.profile.READ,{{scopes}},{{existing_scopes}}',
      with: { access_type: 'offline', prompt: 'consent' },
    }),
    user_info_request: {
      ...userInfo('https://{{host}}/oauth/user/info'),
      auth_header_value_format: 'Zoho-oauthtoken {{access_token}}',
    },
    revocation_request: revocation('https://{{host}}/oauth/v2/token/revoke', 'none'),
    account: { subject: '$.ZUID', name: '$.Email' },
  },
  defaultScopes: ['AaaServer.profile.READ'],
};
