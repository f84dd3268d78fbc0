import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, pkce, userInfo } from './code-flow.ts';

// https://duo.com/docs/sso-oauth-server: each application has an issuer of its own; PKCE is required.
export const ciscoDuo: KnownProvider = {
  id: 'cisco-duo',
  label: 'Cisco Duo',
  docsUrl: 'https://duo.com/docs/sso-oauth-server',
  registerUrl: 'https://admin.duosecurity.com/',
  registerNote:
    'Protect an application of the kind OAuth 2.1 / OIDC, switch on the grants Authorization Code and Refresh Token, enter the redirect URI, and allow the scopes that tools ask for. Its Metadata tab shows the issuer: the variables are its parts.',
  variables: {
    host: {
      label: 'the host of the issuer that Duo shows',
      example: 'sso-abc1def2.sso.duosecurity.com',
      pattern: hostname,
    },
    application: {
      label: 'what follows /oauth2/ in the issuer that Duo shows',
      example: 'DIABC123678901234567',
      pattern: /^[A-Za-z0-9]{1,64}$/,
    },
  },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{host}}/oauth2/{{application}}/authorize',
      token: 'https://{{host}}/oauth2/{{application}}/token',
      client: 'basic',
      scope: 'openid {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://{{host}}/oauth2/{{application}}/userinfo'),
    account: { subject: '$.sub', name: '$.email' },
  },
  defaultScopes: ['openid', 'profile', 'email'],
};
