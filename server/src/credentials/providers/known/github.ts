import type { KnownProvider } from '../known-provider.ts';

// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: errors come with status 200; tokens of OAuth
// apps do not expire; those of GitHub Apps may, and come with a refresh token then. Granted scopes are told with commas, normalized.
export const github: KnownProvider = {
  id: 'github',
  label: 'GitHub',
  docsUrl: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
  registerUrl: 'https://github.com/settings/developers',
  registerNote:
    'Make an OAuth app, or a GitHub App with user authorization; each takes the redirect URI as its authorization callback URL.',
  settings: {
    scope_delimiter: ' ',
    pkce: { enabled: true, code_challenge_method: 'S256' },
    authorize_request: {
      endpoint: 'https://github.com/login/oauth/authorize',
      params: {
        response_type: 'code',
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        scope: '{{scopes}} {{existing_scopes}}',
      },
    },
    token_request: {
      endpoint: 'https://github.com/login/oauth/access_token',
      params: {
        grant_type: 'authorization_code',
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        redirect_uri: '{{redirect_uri}}',
      },
    },
    refresh_request: {
      endpoint: 'https://github.com/login/oauth/access_token',
      params: {
        grant_type: 'refresh_token',
        refresh_token: '{{refresh_token}}',
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
      },
    },
    user_info_request: {
      endpoint: 'https://api.github.com/user',
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
    account: { subject: '$.id', name: '$.login' },
  },
  defaultScopes: ['read:user'],
  impliedScopes: {
    repo: ['repo:status', 'repo_deployment', 'public_repo', 'repo:invite', 'security_events'],
    user: ['read:user', 'user:email', 'user:follow'],
    'admin:org': ['write:org', 'read:org'],
    'write:org': ['read:org'],
    'admin:public_key': ['write:public_key', 'read:public_key'],
    'write:public_key': ['read:public_key'],
    'admin:repo_hook': ['write:repo_hook', 'read:repo_hook'],
    'write:repo_hook': ['read:repo_hook'],
    'admin:gpg_key': ['write:gpg_key', 'read:gpg_key'],
    'write:gpg_key': ['read:gpg_key'],
    project: ['read:project'],
    'write:packages': ['read:packages'],
    'write:discussion': ['read:discussion'],
  },
  advice: {
    redirect_uri_mismatch:
      'An administrator has to enter the redirect URI of this provider as the authorization callback URL of the app at GitHub.',
    incorrect_client_credentials:
      'An administrator has to enter the client id and a client secret of the app at GitHub anew.',
    application_suspended: 'An administrator has to ask GitHub why the app is suspended.',
    bad_verification_code: 'Codes are good for ten minutes and once: start again.',
    unverified_user_email: 'Verify your e-mail address at GitHub, then start again.',
  },
};
