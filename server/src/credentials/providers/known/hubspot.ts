import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce } from './code-flow.ts';

// https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide: the scopes of the address are those of the app, oauth
// among them; the token is of a user in one account (hub).
export const hubspot: KnownProvider = {
  id: 'hubspot',
  label: 'HubSpot',
  docsUrl: 'https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide',
  registerUrl: 'https://developers.hubspot.com/',
  registerNote:
    'Make a public app, enter the redirect URI, and name all scopes that tools ask for; oauth is always among them.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://app.hubspot.com/oauth/authorize',
      token: 'https://api.hubapi.com/oauth/v3/token',
      client: 'body',
      scope: 'oauth {{scopes}} {{existing_scopes}}',
    }),
    account: { subject: '$.hub_id', name: '$.hub_id' },
  },
  defaultScopes: ['oauth'],
  advice: { invalid_scope: 'An administrator has to name the scope in the app at HubSpot.' },
};
