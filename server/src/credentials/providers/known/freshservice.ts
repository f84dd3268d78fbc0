import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, noPkce } from './code-flow.ts';

// https://developers.freshworks.com/docs/app-sdk/v3.0/service_user/oauth-implementation-in-apps/oauth-in-external-apps: HTTP Basic
// at the token endpoint; tokens hold for 30 minutes, refresh tokens for a year.
export const freshservice: KnownProvider = {
  id: 'freshservice',
  label: 'Freshservice',
  docsUrl:
    'https://developers.freshworks.com/docs/app-sdk/v3.0/service_user/oauth-implementation-in-apps/oauth-in-external-apps',
  registerUrl: 'https://developers.freshworks.com/developer/',
  registerNote:
    'Create OAuth credentials in the developer portal of Freshworks, with the redirect URI and the scopes that tools ask for. The variable is the host of the organisation, and not that of Freshservice.',
  variables: {
    organization: {
      label: 'the host of the Freshworks organisation, as its address shows after signing in',
      example: 'acme-1012508551095650304.myfreshworks.com',
      pattern: hostname,
    },
  },
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://{{organization}}/org/oauth/v2/authorize',
      token: 'https://{{organization}}/org/oauth/v2/token',
      client: 'basic',
    }),
  },
  defaultScopes: ['freshservice.tickets.view'],
  advice: {
    invalid_request:
      'Freshworks says so for an unknown scope, redirect URI and client id alike: an administrator has to compare all three with the credentials in its developer portal.',
  },
};
