import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, revocation, userInfo } from './code-flow.ts';

// https://discord.com/developers/docs/topics/oauth2: identify is needed to know the user; refresh tokens rotate.
export const discord: KnownProvider = {
  id: 'discord',
  label: 'Discord',
  docsUrl: 'https://discord.com/developers/docs/topics/oauth2',
  registerUrl: 'https://discord.com/developers/applications',
  registerNote: 'Make an application, and add the redirect URI below OAuth2.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://discord.com/oauth2/authorize',
      token: 'https://discord.com/api/oauth2/token',
      client: 'basic',
      scope: 'identify {{scopes}} {{existing_scopes}}',
    }),
    user_info_request: userInfo('https://discord.com/api/v10/users/@me'),
    revocation_request: revocation('https://discord.com/api/oauth2/token/revoke', 'basic'),
    account: { subject: '$.id', name: '$.username' },
  },
  defaultScopes: ['identify'],
};
