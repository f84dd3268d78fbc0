import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://linear.app/developers/oauth-2-0-authentication: scopes are joined by commas, read is always among them; prompt=consent
// lets users choose the workspace; the viewer of the GraphQL API is the user.
export const linear: KnownProvider = {
  id: 'linear',
  label: 'Linear',
  docsUrl: 'https://linear.app/developers/oauth-2-0-authentication',
  registerUrl: 'https://linear.app/settings/api/applications/new',
  registerNote: 'Make an OAuth application with the redirect URI among its callback URLs.',
  settings: {
    scope_delimiter: ',',
    pkce,
    ...codeFlow({
      authorize: 'https://linear.app/oauth/authorize',
      token: 'https://api.linear.app/oauth/token',
      client: 'body',
      scope: '{{scopes}},{{existing_scopes}}',
      with: { prompt: 'consent' },
    }),
    user_info_request: {
      ...userInfo('https://api.linear.app/graphql'),
      method: 'POST',
      request_content_type: 'application/json',
      params: { query: '{ viewer { id name email } }' },
    },
    revocation_request: revocation('https://api.linear.app/oauth/revoke', 'none'),
    account: { subject: '$.data.viewer.id', name: '$.data.viewer.email' },
  },
  defaultScopes: ['read'],
  impliedScopes: { write: ['read'], admin: ['read', 'write'] },
};
