import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce } from './code-flow.ts';

// https://developer.ticktick.com/docs: HTTP Basic at the token endpoint; tokens are not renewed, so users consent again after some
// months.
export const ticktick: KnownProvider = {
  id: 'ticktick',
  label: 'TickTick',
  docsUrl: 'https://developer.ticktick.com/docs',
  registerUrl: 'https://developer.ticktick.com/manage',
  registerNote: 'Make an app with the redirect URI as its OAuth redirect URL.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://ticktick.com/oauth/authorize',
      token: 'https://ticktick.com/oauth/token',
      client: 'basic',
      refresh: false,
      tokenWith: { scope: '{{scopes}}' },
    }),
  },
  defaultScopes: ['tasks:read'],
};
