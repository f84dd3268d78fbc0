import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code: PKCE and HTTP Basic; refresh tokens come with
// offline.access, and rotate; users/me needs users.read and tweet.read.
export const x: KnownProvider = {
  id: 'x',
  label: 'X',
  docsUrl: 'https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code',
  registerUrl: 'https://developer.x.com/en/portal/dashboard',
  registerNote:
    'Make an app, set up user authentication of the type Web App, and enter the redirect URI as its callback URI.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://x.com/i/oauth2/authorize',
      token: 'https://api.x.com/2/oauth2/token',
      client: 'basic',
      scope: 'offline.access users.read tweet.read {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://api.x.com/2/users/me'),
    revocation_request: revocation('https://api.x.com/2/oauth2/revoke', 'basic'),
    account: { subject: '$.data.id', name: '$.data.username' },
  },
  defaultScopes: ['users.read', 'tweet.read'],
};
