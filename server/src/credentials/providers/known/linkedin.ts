import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation, userInfo } from './code-flow.ts';

// https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow: the secret goes in the body, PKCE is for
// native apps only; refresh tokens are given to few partners, so most users consent again after 60 days.
export const linkedin: KnownProvider = {
  id: 'linkedin',
  label: 'LinkedIn',
  docsUrl: 'https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow',
  registerUrl: 'https://www.linkedin.com/developers/apps',
  registerNote:
    'Make an app, add the product Sign In with LinkedIn using OpenID Connect and those that tools need, and add the redirect URI below Auth.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://www.linkedin.com/oauth/v2/authorization',
      token: 'https://www.linkedin.com/oauth/v2/accessToken',
      client: 'body',
      scope: 'openid profile email {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://api.linkedin.com/v2/userinfo'),
    revocation_request: revocation('https://www.linkedin.com/oauth/v2/revoke', 'body'),
    account: { subject: '$.sub', name: '$.email' },
  },
  defaultScopes: ['openid', 'profile', 'email'],
  advice: {
    unauthorized_scope_error:
      'An administrator has to add the product that has the scope to the app at LinkedIn (Products).',
    invalid_redirect_uri:
      'An administrator has to add the redirect URI of this provider to the app at LinkedIn (Auth).',
  },
};
