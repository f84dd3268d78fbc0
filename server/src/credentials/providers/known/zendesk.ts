import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, subdomain, userInfo } from './code-flow.ts';

// https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/: JSON at the token endpoint; refresh tokens
// rotate, for apps that have them.
export const zendesk: KnownProvider = {
  id: 'zendesk',
  label: 'Zendesk',
  docsUrl: 'https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/',
  registerUrl: 'https://www.zendesk.com/login',
  registerNote:
    'In the Admin Center add an OAuth client (Apps and integrations, APIs) of the kind Confidential with the redirect URI; its identifier is the client id.',
  variables: { subdomain: { label: 'what stands before .zendesk.com', example: 'acme', pattern: subdomain } },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{subdomain}}.zendesk.com/oauth/authorizations/new',
      token: 'https://{{subdomain}}.zendesk.com/oauth/tokens',
      client: 'body',
      json: true,
    }),
    user_info_request: userInfo('https://{{subdomain}}.zendesk.com/api/v2/users/me.json'),
    account: { subject: '$.user.id', name: '$.user.email' },
  },
  defaultScopes: ['read'],
};
