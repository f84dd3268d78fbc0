import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation, userInfo } from './code-flow.ts';

// https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0: HTTP Basic at the token
// endpoint, refresh tokens rotate; the company (realmId) comes beside the code only, so tools have to be told it.
export const intuit: KnownProvider = {
  id: 'intuit',
  label: 'Intuit QuickBooks',
  docsUrl:
    'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
  registerUrl: 'https://developer.intuit.com/app/developer/dashboard',
  registerNote:
    'Make an app for QuickBooks Online and Payments, and add the redirect URI below Keys & OAuth. Keys of development know only sandbox companies.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://appcenter.intuit.com/connect/oauth2',
      token: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      client: 'basic',
      scope: 'openid email {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://accounts.platform.intuit.com/v1/openid_connect/userinfo'),
    revocation_request: {
      ...revocation('https://developer.api.intuit.com/v2/oauth2/tokens/revoke', 'basic'),
      request_content_type: 'application/json',
    },
    account: { subject: '$.sub', name: '$.email' },
  },
  defaultScopes: ['com.intuit.quickbooks.accounting'],
};
