import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, revocation } from './code-flow.ts';

// https://developers.asana.com/docs/oauth: the answer with the tokens says in `data` who the user is; refresh tokens stay.
export const asana: KnownProvider = {
  id: 'asana',
  label: 'Asana',
  docsUrl: 'https://developers.asana.com/docs/oauth',
  registerUrl: 'https://app.asana.com/0/my-apps',
  registerNote: 'Make an app, enter the redirect URI below OAuth, and allow the scopes that tools ask for.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://app.asana.com/-/oauth_authorize',
      token: 'https://app.asana.com/-/oauth_token',
      client: 'body',
    }),
    revocation_request: revocation('https://app.asana.com/-/oauth_revoke', 'body'),
    account: { subject: '$.data.gid', name: '$.data.email' },
  },
  defaultScopes: ['default'],
  advice: {
    invalid_scope:
      'An administrator has to allow the scope for the app in the developer console of Asana; an app with full permissions takes only the scope default.',
  },
};
