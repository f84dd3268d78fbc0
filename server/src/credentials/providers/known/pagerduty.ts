import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, userInfo } from './code-flow.ts';

// https://developer.pagerduty.com/docs/obtaining-a-user-oauth-token-via-code-grant: codes are good for 30 seconds, refresh tokens
// rotate; a scope that is not known is left out without a word; the ID token says who the user is.
export const pagerduty: KnownProvider = {
  id: 'pagerduty',
  label: 'PagerDuty',
  docsUrl: 'https://developer.pagerduty.com/docs/obtaining-a-user-oauth-token-via-code-grant',
  registerUrl: 'https://app.pagerduty.com/developer/apps',
  registerNote:
    'Register an app, add OAuth 2.0 (Scoped OAuth), enter the redirect URL, and choose the scopes that tools ask for, users.read with them.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://identity.pagerduty.com/oauth/authorize',
      token: 'https://identity.pagerduty.com/oauth/token',
      client: 'body',
      scope: 'openid {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://api.pagerduty.com/users/me'),
    account: { subject: '$.user.id', name: '$.user.email' },
  },
  defaultScopes: ['openid', 'users.read'],
};
