import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://developer.clickup.com/docs/authentication: there are no scopes, tokens do not expire, and the user chooses workspaces.
export const clickup: KnownProvider = {
  id: 'clickup',
  label: 'ClickUp',
  docsUrl: 'https://developer.clickup.com/docs/authentication',
  registerUrl: 'https://app.clickup.com/settings/apps',
  registerNote:
    'An owner or administrator of the workspace makes an app there, with the redirect URI as its redirect URL.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://app.clickup.com/api',
      token: 'https://api.clickup.com/api/v2/oauth/token',
      client: 'body',
      json: true,
      scope: null,
      refresh: false,
    }),
    user_info_request: userInfo('https://api.clickup.com/api/v2/user'),
    account: { subject: '$.user.id', name: '$.user.email' },
  },
  defaultScopes: [],
};
