import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce } from './code-flow.ts';

// https://docs.snowflake.com/en/user-guide/oauth-custom: HTTP Basic at the token endpoint, whose path is its own; refresh tokens
// come with the scope refresh_token; the answer with the tokens names the user.
export const snowflake: KnownProvider = {
  id: 'snowflake',
  label: 'Snowflake',
  docsUrl: 'https://docs.snowflake.com/en/user-guide/oauth-custom',
  registerUrl: 'https://app.snowflake.com/',
  registerNote:
    "CREATE SECURITY INTEGRATION … TYPE = OAUTH, OAUTH_CLIENT = CUSTOM, OAUTH_CLIENT_TYPE = 'CONFIDENTIAL', OAUTH_ISSUE_REFRESH_TOKENS = TRUE and the redirect URI as OAUTH_REDIRECT_URI; SYSTEM$SHOW_OAUTH_CLIENT_SECRETS shows client id and secret.",
  variables: {
    account: {
      label: 'what stands before .snowflakecomputing.com in the address of the account',
      example: 'myorg-myaccount',
      pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,120}[A-Za-z0-9])?$/,
    },
  },
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://{{account}}.snowflakecomputing.com/oauth/authorize',
      token: 'https://{{account}}.snowflakecomputing.com/oauth/token-request',
      client: 'basic',
      scope: 'refresh_token {{scopes}} {{existing_scopes}}',
    }),
    account: { subject: '$.username', name: '$.username' },
  },
  defaultScopes: ['refresh_token'],
  advice: {
    invalid_scope:
      'The role is not yours, or blocked by the security integration: ask who administers Snowflake.',
  },
};
