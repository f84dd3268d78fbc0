import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://developers.google.com/identity/protocols/oauth2/web-server: refresh tokens come only with access_type=offline and
// prompt=consent; email and profile are told by their long names.
export const google: KnownProvider = {
  id: 'google',
  label: 'Google',
  docsUrl: 'https://developers.google.com/identity/protocols/oauth2/web-server',
  registerUrl: 'https://console.cloud.google.com/auth/clients',
  registerNote:
    'Make an OAuth client of the type Web application with the redirect URI among its authorized redirect URIs, and enable the APIs that tools call. While the app is in testing only its test users can consent, and tokens end after seven days.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
      token: 'https://oauth2.googleapis.com/token',
      client: 'body',
      scope: 'openid email {{scopes}} {{existing_scopes}}',
      with: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
    }),
    user_info_request: userInfo('https://openidconnect.googleapis.com/v1/userinfo'),
    revocation_request: revocation('https://oauth2.googleapis.com/revoke', 'none'),
    account: { subject: '$.sub', name: '$.email' },
  },
  defaultScopes: ['openid', 'email', 'profile'],
  impliedScopes: {
    'https://www.googleapis.com/auth/userinfo.email': ['email'],
    'https://www.googleapis.com/auth/userinfo.profile': ['profile'],
  },
  advice: {
    access_denied:
      'Start again and allow it. If Google says that the app is being tested, an administrator has to add you to its test users in the Google Cloud console (Audience), or to publish it.',
    redirect_uri_mismatch:
      'An administrator has to add the redirect URI of this provider to the authorized redirect URIs of the client in the Google Cloud console.',
    admin_policy_enforced:
      'Who administers your Google Workspace has to trust the app (Security, API controls).',
    org_internal:
      'The app is only for accounts of its own organisation: use one of those, or an administrator makes the app external.',
    deleted_client:
      'The client was deleted in the Google Cloud console: an administrator has to enter another one.',
    invalid_client:
      'An administrator has to copy client id and secret of the client from the Google Cloud console anew.',
    invalid_grant:
      'Start again. If this happens every seven days, the app is in testing at Google: an administrator has to publish it.',
  },
};
