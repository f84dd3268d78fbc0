import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, userInfo } from './code-flow.ts';

// https://developers.figma.com/docs/rest-api/authentication/: HTTP Basic at both token endpoints, of which one renews; refresh
// tokens stay.
export const figma: KnownProvider = {
  id: 'figma',
  label: 'Figma',
  docsUrl: 'https://developers.figma.com/docs/rest-api/authentication/',
  registerUrl: 'https://www.figma.com/developers/apps',
  registerNote:
    'Make an app, add the redirect URI below OAuth credentials, choose the scopes that tools ask for with current_user:read, and publish it.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://www.figma.com/oauth',
      token: 'https://api.figma.com/v1/oauth/token',
      client: 'basic',
      refresh: 'https://api.figma.com/v1/oauth/refresh',
      scope: 'current_user:read {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://api.figma.com/v1/me'),
    account: { subject: '$.id', name: '$.email' },
  },
  defaultScopes: ['current_user:read'],
  advice: {
    invalid_scope:
      'An administrator has to choose the scope below OAuth scopes of the app at Figma, and to publish it again.',
  },
};
