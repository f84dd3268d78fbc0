import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, pkce, revocation, userInfo } from './code-flow.ts';

// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm: refresh tokens come with the scope
// refresh_token; how long a token holds is told by introspection only.
export const salesforce: KnownProvider = {
  id: 'salesforce',
  label: 'Salesforce',
  docsUrl: 'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm',
  registerUrl: 'https://login.salesforce.com/',
  registerNote:
    'Make an external client app (or a connected app), switch on OAuth with the redirect URI as its callback URL, and choose the scopes that tools ask for, with refresh_token and openid. Set the variable host to the My Domain of the organisation.',
  variables: {
    host: {
      label: 'the host of My Domain',
      example: 'acme.my.salesforce.com',
      default: 'login.salesforce.com',
      pattern: hostname,
    },
  },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{host}}/services/oauth2/authorize',
      token: 'https://{{host}}/services/oauth2/token',
      client: 'body',
      scope: 'refresh_token openid {{scopes}} {{existing_scopes}}',
    }),
    token_introspection_request: {
      endpoint: 'https://{{host}}/services/oauth2/introspect',
      method: 'POST',
      auth_method: '',
      params: {
        token: '{{access_token}}',
        token_type_hint: 'access_token',
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
      },
      response_map: { expires_in: '$.exp' },
      expiration_format: 'absolute_unix_timestamp',
      triggers: { on_token_grant: true, on_token_refresh: true },
    },
    user_info_request: userInfo('https://{{host}}/services/oauth2/userinfo'),
    revocation_request: revocation('https://{{host}}/services/oauth2/revoke', 'none'),
    account: { subject: '$.sub', name: '$.preferred_username' },
  },
  defaultScopes: ['api'],
  advice: {
    redirect_uri_mismatch:
      'An administrator has to add the redirect URI of this provider to the callback URLs of the app at Salesforce; a change takes up to ten minutes there.',
    invalid_client_id:
      'An administrator has to check the client id; a new app is known at Salesforce only after some minutes.',
    OAUTH_APP_BLOCKED:
      'Who administers your organisation has to unblock the app at Salesforce (Connected Apps OAuth Usage).',
    OAUTH_APPROVAL_ERROR_GENERIC:
      'Who administers your organisation has to allow the app for you at Salesforce.',
  },
};
