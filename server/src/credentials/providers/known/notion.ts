import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation } from './code-flow.ts';

// https://developers.notion.com/docs/authorization: HTTP Basic and JSON at the token endpoint, no scopes, owner=user; a bot stands
// for the user in one workspace.
export const notion: KnownProvider = {
  id: 'notion',
  label: 'Notion',
  docsUrl: 'https://developers.notion.com/docs/authorization',
  registerUrl: 'https://www.notion.so/profile/integrations',
  registerNote:
    'Make a public integration with the redirect URI among its redirect URIs. What it may do is chosen there, and which pages it sees by the user.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://api.notion.com/v1/oauth/authorize',
      token: 'https://api.notion.com/v1/oauth/token',
      client: 'basic',
      json: true,
      scope: null,
      with: { owner: 'user' },
    }),
    revocation_request: {
      ...revocation('https://api.notion.com/v1/oauth/revoke', 'basic'),
      request_content_type: 'application/json',
      params: { token: '{{access_token}}' },
    },
    account: { subject: '$.bot_id', name: '$.workspace_name' },
  },
  defaultScopes: [],
};
