import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, userInfo } from './code-flow.ts';
import { entraAdvice, entraVariables } from './entra.ts';

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow: refresh tokens come with offline_access, and
// rotate; all scopes are of one resource; Microsoft Graph needs User.Read to say who the user is.
export const microsoft: KnownProvider = {
  id: 'microsoft',
  label: 'Microsoft',
  docsUrl: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
  registerUrl: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
  registerNote:
    'Register an app with the redirect URI on the platform Web, make a client secret, and add the delegated permissions of Microsoft Graph that tools ask for. An app of one tenant needs the variable tenant.',
  variables: entraVariables,
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://login.microsoftonline.com/{{tenant}}/oauth2/v2.0/authorize',
      token: 'https://login.microsoftonline.com/{{tenant}}/oauth2/v2.0/token',
      client: 'body',
      scope: 'openid profile email offline_access User.Read {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://graph.microsoft.com/v1.0/me'),
    account: { subject: '$.id', name: '$.userPrincipalName' },
  },
  defaultScopes: ['User.Read'],
  advice: entraAdvice,
};
