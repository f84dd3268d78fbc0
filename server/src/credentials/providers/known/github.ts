import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, pkce, userInfo } from './code-flow.ts';

// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: errors come with status 200; tokens of
// OAuth apps do not expire, those of GitHub Apps may, and come with a refresh token then; granted scopes are told with commas, and
// without those that another one implies.
export const github: KnownProvider = {
  id: 'github',
  label: 'GitHub',
  docsUrl: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
  registerUrl: 'https://github.com/settings/developers',
  registerNote:
    'Make an OAuth app, or a GitHub App with user authorization; each takes the redirect URI as its authorization callback URL.',
  settings: {
    pkce,
    ...codeFlow({
      authorize: 'https://github.com/login/oauth/authorize',
      token: 'https://github.com/login/oauth/access_token',
      client: 'body',
    }),
    user_info_request: userInfo('https://api.github.com/user'),
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
