import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, userInfo } from './code-flow.ts';

// https://airtable.com/developers/web/api/oauth-reference: PKCE is required, HTTP Basic at the token endpoint; refresh tokens
// rotate, and end after 60 days.
export const airtable: KnownProvider = {
  id: 'airtable',
  label: 'Airtable',
  docsUrl: 'https://airtable.com/developers/web/api/oauth-reference',
  registerUrl: 'https://airtable.com/create/oauth',
  registerNote:
    'Register an OAuth integration with the redirect URI, make a client secret, and tick the scopes that tools ask for.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://airtable.com/oauth2/v1/authorize',
      token: 'https://airtable.com/oauth2/v1/token',
      client: 'basic',
    }),
    user_info_request: userInfo('https://api.airtable.com/v0/meta/whoami'),
    account: { subject: '$.id', name: '$.email' },
  },
  defaultScopes: ['user.email:read'],
};
