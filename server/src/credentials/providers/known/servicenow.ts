import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce, subdomain } from './code-flow.ts';

// https://www.servicenow.com/docs/ (inbound OAuth integrations): each instance has its own addresses; the secret goes in the body.
export const servicenow: KnownProvider = {
  id: 'servicenow',
  label: 'ServiceNow',
  docsUrl: 'https://www.servicenow.com/docs/',
  registerUrl: 'https://www.service-now.com/',
  registerNote:
    'Make an inbound OAuth integration with the authorization code grant in the Machine Identity Console of the instance (before Zurich: an OAuth API endpoint for external clients in the Application Registry), with the redirect URI and the scope useraccount.',
  variables: { instance: { label: 'the name of the instance', example: 'acme', pattern: subdomain } },
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://{{instance}}.service-now.com/oauth_auth.do',
      token: 'https://{{instance}}.service-now.com/oauth_token.do',
      client: 'body',
    }),
  },
  defaultScopes: ['useraccount'],
  advice: {
    redirect_uri_mismatch:
      'An administrator has to enter the redirect URI of this provider in the integration at ServiceNow; a change takes some minutes there.',
  },
};
