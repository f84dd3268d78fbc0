import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, pkce } from './code-flow.ts';

// https://docs.sentry.io/api/auth/: PKCE is recommended, the secret goes in the body; the answer with the tokens says in `user` who
// it is.
export const sentry: KnownProvider = {
  id: 'sentry',
  label: 'Sentry',
  docsUrl: 'https://docs.sentry.io/api/auth/',
  registerUrl: 'https://sentry.io/settings/account/api/applications/',
  registerNote:
    'Make a confidential application with the redirect URI among its authorized redirect URIs. For a Sentry of your own set the variable host.',
  variables: {
    host: {
      label: 'the host of Sentry',
      example: 'sentry.example.com',
      default: 'sentry.io',
      pattern: hostname,
    },
  },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{host}}/oauth/authorize/',
      token: 'https://{{host}}/oauth/token/',
      client: 'body',
    }),
    account: { subject: '$.user.id', name: '$.user.email' },
  },
  defaultScopes: ['org:read'],
};
