import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce } from './code-flow.ts';
import { entraAdvice, entraVariables } from './entra.ts';

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow: as Microsoft, with tokens for the Power BI service;
// only the ID token says who the user is.
export const microsoftPowerbi: KnownProvider = {
  id: 'microsoft-powerbi',
  label: 'Microsoft Power BI',
  docsUrl: 'https://learn.microsoft.com/power-bi/developer/embedded/register-app',
  registerUrl: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
  registerNote:
    'Register an app with the redirect URI on the platform Web, make a client secret, and add the delegated permissions of the Power BI Service that tools ask for. An app of one tenant needs the variable tenant.',
  variables: entraVariables,
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://login.microsoftonline.com/{{tenant}}/oauth2/v2.0/authorize',
      token: 'https://login.microsoftonline.com/{{tenant}}/oauth2/v2.0/token',
      client: 'body',
      scope: 'openid profile email offline_access {{scopes}} {{existing_scopes}}',
    }),
    account: {
      subject: "jwt_decode('$.id_token', '$.oid')",
      name: "jwt_decode('$.id_token', '$.preferred_username')",
    },
  },
  defaultScopes: ['https://analysis.windows.net/powerbi/api/Report.Read.All'],
  advice: entraAdvice,
};
