import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, pkce, revocation, userInfo } from './code-flow.ts';

// https://docs.gitlab.com/api/oauth2/: PKCE; tokens hold for two hours, refresh tokens rotate; any host of your own has the same
// paths.
export const gitlab: KnownProvider = {
  id: 'gitlab',
  label: 'GitLab',
  docsUrl: 'https://docs.gitlab.com/api/oauth2/',
  registerUrl: 'https://gitlab.com/-/user_settings/applications',
  registerNote:
    'Add a confidential application with the redirect URI, and tick the scopes that tools ask for, read_user with them. For a GitLab of your own set the variable host.',
  variables: {
    host: {
      label: 'the host of GitLab',
      example: 'gitlab.example.com',
      default: 'gitlab.com',
      pattern: hostname,
    },
  },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{host}}/oauth/authorize',
      token: 'https://{{host}}/oauth/token',
      client: 'body',
      scope: 'read_user {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://{{host}}/api/v4/user'),
    revocation_request: revocation('https://{{host}}/oauth/revoke', 'body'),
    account: { subject: '$.id', name: '$.username' },
  },
  defaultScopes: ['read_user'],
  impliedScopes: { api: ['read_api', 'read_user', 'read_repository', 'read_registry'] },
};
