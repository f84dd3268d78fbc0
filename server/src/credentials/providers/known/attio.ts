import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://docs.attio.com/docs/oauth/token: tokens are of a workspace, and do not expire; scopes are those of the app; /v2/self says
// whose they are.
export const attio: KnownProvider = {
  id: 'attio',
  label: 'Attio',
  docsUrl: 'https://docs.attio.com/docs/oauth/authorize',
  registerUrl: 'https://build.attio.com/',
  registerNote:
    'Make an app, switch on OAuth, enter the redirect URI, and choose the scopes there: they are not asked for one by one.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://app.attio.com/authorize',
      token: 'https://app.attio.com/oauth/token',
      client: 'body',
      scope: null,
      refresh: false,
    }),
    user_info_request: userInfo('https://api.attio.com/v2/self'),
    account: { subject: '$.workspace_id', name: '$.workspace_name' },
  },
  defaultScopes: [],
};
