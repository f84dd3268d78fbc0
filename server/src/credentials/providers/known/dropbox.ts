import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce } from './code-flow.ts';

// https://developers.dropbox.com/oauth-guide: refresh tokens come with token_access_type=offline, and stay; the answer with the
// tokens names the account; an app in development takes few users.
export const dropbox: KnownProvider = {
  id: 'dropbox',
  label: 'Dropbox',
  docsUrl: 'https://developers.dropbox.com/oauth-guide',
  registerUrl: 'https://www.dropbox.com/developers/apps',
  registerNote:
    'Make an app with scoped access, tick the permissions that tools ask for, and add the redirect URI below OAuth 2.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://www.dropbox.com/oauth2/authorize',
      token: 'https://api.dropboxapi.com/oauth2/token',
      client: 'body',
      with: { token_access_type: 'offline', include_granted_scopes: 'user' },
    }),
    account: { subject: '$.account_id' },
  },
  defaultScopes: ['account_info.read'],
  advice: {
    invalid_scope:
      'An administrator has to tick the scope below Permissions of the app at Dropbox, and to submit it.',
  },
};
