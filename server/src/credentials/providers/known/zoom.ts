import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://developers.zoom.us/docs/integrations/oauth/: HTTP Basic at the token endpoint; scopes are those of the app; refresh
// tokens rotate.
export const zoom: KnownProvider = {
  id: 'zoom',
  label: 'Zoom',
  docsUrl: 'https://developers.zoom.us/docs/integrations/oauth/',
  registerUrl: 'https://marketplace.zoom.us/develop/create',
  registerNote:
    'Make a general app that is managed by its users, enter the redirect URI as its OAuth redirect URL, and add the scopes that tools ask for, user:read:user with them.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://zoom.us/oauth/authorize',
      token: 'https://zoom.us/oauth/token',
      client: 'basic',
      scope: null,
    }),
    user_info_request: userInfo('https://api.zoom.us/v2/users/me'),
    revocation_request: revocation('https://zoom.us/oauth/revoke', 'basic'),
    account: { subject: '$.id', name: '$.email' },
  },
  defaultScopes: [],
  advice: { invalid_scope: 'An administrator has to add the scope to the app at Zoom (Scopes).' },
};
