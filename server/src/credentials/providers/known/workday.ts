import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, hostname, noPkce } from './code-flow.ts';

// https://docs.nango.dev/integrations/all/workday-oauth/connect (the vendor shows its own pages to customers only): each tenant has
// its own addresses; scopes are functional areas of the client.
export const workday: KnownProvider = {
  id: 'workday',
  label: 'Workday',
  docsUrl: 'https://community.workday.com/',
  registerUrl: 'https://www.workday.com/',
  registerNote:
    'In Workday run the task Register API Client with the grant Authorization Code, the redirect URI, and the functional areas that tools need. It shows the endpoints: the variables are their parts.',
  variables: {
    authorization_host: {
      label: 'the host of the Authorization Endpoint that Workday shows',
      example: 'impl.workday.com',
      pattern: hostname,
    },
    token_host: {
      label: 'the host of the Token Endpoint that Workday shows',
      example: 'wd2-impl-services1.workday.com',
      pattern: hostname,
    },
    tenant: {
      label: 'the tenant, as both endpoints hold it',
      example: 'acme',
      pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    },
  },
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://{{authorization_host}}/{{tenant}}/authorize',
      token: 'https://{{token_host}}/ccx/oauth2/{{tenant}}/token',
      client: 'basic',
      scope: null,
    }),
  },
  defaultScopes: [],
};
