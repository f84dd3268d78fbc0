import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation, userInfo } from './code-flow.ts';

// https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users: HTTP Basic at the token endpoint;
// refresh tokens rotate.
export const calendly: KnownProvider = {
  id: 'calendly',
  label: 'Calendly',
  docsUrl: 'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
  registerUrl: 'https://developer.calendly.com/console/apps',
  registerNote: 'Make an OAuth app of the kind Web with the redirect URI.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://auth.calendly.com/oauth/authorize',
      token: 'https://auth.calendly.com/oauth/token',
      client: 'body',
    }),
    user_info_request: userInfo('https://api.calendly.com/users/me'),
    revocation_request: revocation('https://auth.calendly.com/oauth/revoke', 'body'),
    account: { subject: '$.resource.uri', name: '$.resource.email' },
  },
  defaultScopes: [],
};
