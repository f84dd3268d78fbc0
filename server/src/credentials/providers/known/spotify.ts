import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://developer.spotify.com/documentation/web-api/tutorials/code-flow: HTTP Basic at the token endpoint; refresh tokens stay.
export const spotify: KnownProvider = {
  id: 'spotify',
  label: 'Spotify',
  docsUrl: 'https://developer.spotify.com/documentation/web-api/tutorials/code-flow',
  registerUrl: 'https://developer.spotify.com/dashboard',
  registerNote:
    'Make an app with the redirect URI among its redirect URIs. In development mode only users that are named there can consent.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://accounts.spotify.com/authorize',
      token: 'https://accounts.spotify.com/api/token',
      client: 'basic',
    }),
    user_info_request: userInfo('https://api.spotify.com/v1/me'),
    account: { subject: '$.id', name: '$.display_name' },
  },
  defaultScopes: ['user-read-private'],
  advice: {
    access_denied:
      'Start again and allow it. While the app is in development mode, an administrator has to add you to its users at Spotify.',
  },
};
