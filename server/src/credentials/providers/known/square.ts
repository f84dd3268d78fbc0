import type { KnownProvider } from '../known-provider.ts';
import { codeFlow, noPkce } from './code-flow.ts';

// https://developer.squareup.com/docs/oauth-api/overview: JSON at the token endpoint; a token is of a merchant; when it ends comes
// as a date, and refresh tokens of this flow stay.
export const square: KnownProvider = {
  id: 'square',
  label: 'Square',
  docsUrl: 'https://developer.squareup.com/docs/oauth-api/overview',
  registerUrl: 'https://developer.squareup.com/apps',
  registerNote: 'Make an application, and enter the redirect URI below OAuth, Production.',
  settings: {
    pkce: noPkce,
    ...codeFlow({
      authorize: 'https://connect.squareup.com/oauth2/authorize',
      token: 'https://connect.squareup.com/oauth2/token',
      client: 'body',
      json: true,
      with: { session: 'false' },
      tokenMap: { expires_in: '$.expires_at' },
      refreshMap: { expires_in: '$.expires_at' },
    }),
    revocation_request: {
      endpoint: 'https://connect.squareup.com/oauth2/revoke',
      auth_header_value_format: 'Client {{client_secret}}',
      request_content_type: 'application/json',
      params: { client_id: '{{client_id}}', access_token: '{{access_token}}' },
    },
    account: { subject: '$.merchant_id', name: '$.merchant_id' },
  },
  defaultScopes: ['MERCHANT_PROFILE_READ'],
};
