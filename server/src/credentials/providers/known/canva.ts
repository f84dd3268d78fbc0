import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://www.canva.dev/docs/connect/authentication/: PKCE is required, HTTP Basic at the token endpoint; refresh tokens are good
// for one use.
export const canva: KnownProvider = {
  id: 'canva',
  label: 'Canva',
  docsUrl: 'https://www.canva.dev/docs/connect/authentication/',
  registerUrl: 'https://www.canva.com/developers/integrations',
  registerNote:
    'Make an integration, add the redirect URI below Authentication, and tick the scopes that tools ask for.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://www.canva.com/api/oauth/authorize',
      token: 'https://api.canva.com/rest/v1/oauth/token',
      client: 'basic',
    }),
    user_info_request: userInfo('https://api.canva.com/rest/v1/users/me'),
    revocation_request: revocation('https://api.canva.com/rest/v1/oauth/revoke', 'basic'),
    account: { subject: '$.team_user.user_id', name: '$.team_user.user_id' },
  },
  defaultScopes: ['profile:read'],
};
