import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, userInfo } from './code-flow.ts';

// https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/: no scopes, tokens do not expire; the metadata is
// asked for with "OAuth" in the header, and says at which data centre (dc) the API is.
export const mailchimp: KnownProvider = {
  id: 'mailchimp',
  label: 'Mailchimp',
  docsUrl: 'https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/',
  registerUrl: 'https://admin.mailchimp.com/account/oauth2/',
  registerNote: 'Register an app with the redirect URI.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://login.mailchimp.com/oauth2/authorize',
      token: 'https://login.mailchimp.com/oauth2/token',
      client: 'body',
      scope: null,
      refresh: false,
    }),
    user_info_request: {
      ...userInfo('https://login.mailchimp.com/oauth2/metadata'),
      auth_header_value_format: 'OAuth {{access_token}}',
    },
    account: { subject: '$.user_id', name: '$.accountname' },
  },
  defaultScopes: [],
};
