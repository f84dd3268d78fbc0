import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation, userInfo } from './code-flow.ts';

// https://github.com/reddit-archive/reddit/wiki/OAuth2: HTTP Basic at the token endpoint; refresh tokens come with
// duration=permanent, and stay.
export const reddit: KnownProvider = {
  id: 'reddit',
  label: 'Reddit',
  docsUrl: 'https://github.com/reddit-archive/reddit/wiki/OAuth2',
  registerUrl: 'https://www.reddit.com/prefs/apps',
  registerNote: 'Make an app of the type web app, with the redirect URI as its redirect uri.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://www.reddit.com/api/v1/authorize',
      token: 'https://www.reddit.com/api/v1/access_token',
      client: 'basic',
      scope: 'identity {{scopes}} {{existing_scopes}}',
      with: { duration: 'permanent' },
    }),
    user_info_request: userInfo('https://oauth.reddit.com/api/v1/me'),
    revocation_request: revocation('https://www.reddit.com/api/v1/revoke_token', 'basic'),
    account: { subject: '$.id', name: '$.name' },
  },
  defaultScopes: ['identity'],
};
