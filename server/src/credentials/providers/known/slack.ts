import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce } from './code-flow.ts';

// https://docs.slack.dev/authentication/installing-with-oauth: user scopes go in user_scope, joined by commas; the token of the
// user is nested in authed_user, and at a renewal it is not; errors come with status 200 and ok=false.
export const slack: KnownProvider = {
  id: 'slack',
  label: 'Slack',
  docsUrl: 'https://docs.slack.dev/authentication/installing-with-oauth',
  registerUrl: 'https://api.slack.com/apps',
  registerNote:
    'Make an app, add the redirect URI below OAuth & Permissions, and add the user token scopes that tools ask for.',
  settings: {
    scope_delimiter: ',',
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://slack.com/oauth/v2/authorize',
      token: 'https://slack.com/api/oauth.v2.access',
      client: 'body',
      scope: null,
      with: { user_scope: '{{scopes}},{{existing_scopes}}' },
      tokenMap: {
        access_token: '$.authed_user.access_token',
        refresh_token: '$.authed_user.refresh_token',
        expires_in: '$.authed_user.expires_in',
        scope: '$.authed_user.scope',
      },
      refreshMap: { access_token: '$.access_token', token_type: '$.authed_user.token_type' },
    }),
    revocation_request: { endpoint: 'https://slack.com/api/auth.revoke', auth_method: 'bearer_access_token' },
    account: { subject: '$.authed_user.id', name: '$.team.name' },
  },
  defaultScopes: ['users:read'],
  advice: {
    bad_redirect_uri:
      'An administrator has to add the redirect URI of this provider to the app at Slack (OAuth & Permissions), and to save it.',
    invalid_scope: 'An administrator has to add the scope to the user token scopes of the app at Slack.',
    invalid_team_for_non_distributed_app:
      'The app is only for its own workspace: use that one, or an administrator activates public distribution at Slack.',
    org_login_required: 'Sign in to your organisation at Slack first, then start again.',
    access_denied:
      'Start again and allow it. If Slack says that the app has to be approved, who administers your workspace has to do it.',
  },
};
