import { SignJWT } from 'jose';
import type { Given } from './grants.ts';
import { type Quirk, type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

/**
 * A refresh token comes only with `access_type=offline&prompt=consent`; in test mode (`testers`) everybody else is refused; a
 * redirect URI that is not registered ends on a page that never comes back; with `openid` there is an ID token.
 */
const quirk: Quirk = {
  name: 'google',
  paths: {
    '/o/oauth2/v2/auth': 'authorize',
    '/o/oauth2/auth': 'authorize',
    '/token': 'token',
    '/v1/userinfo': 'user_info',
    '/oauth2/v3/userinfo': 'user_info',
    '/oauth2/v2/userinfo': 'user_info',
    '/revoke': 'revoke',
    '/introspect': 'introspect',
  },
  delimiter: ' ',
  clientAuth: 'either',
  tokenBody: 'form',
  prefixes: ['ya29.', '1//'],
  lifeS: 3599,
  rotates: false,
  refreshes: (asked) => asked.get('access_type') === 'offline' && asked.get('prompt') === 'consent',
  revokedBy: 'token',
  deniesUser: ({ login }, { testers }) =>
    testers === null || testers.has(login)
      ? null
      : { error: 'access_denied', error_description: 'The app is being tested' },
  tokenAnswer: async (given, standIn) => ({
    access_token: given.accessToken,
    ...(given.refreshToken !== null && { refresh_token: given.refreshToken }),
    expires_in: given.lifeS,
    scope: given.grant.scopes.join(' '),
    token_type: 'Bearer',
    ...(given.grant.scopes.includes('openid') && { id_token: await idTokenOf(given, standIn) }),
  }),
  userInfo: ({ user }) => ({
    sub: user.id,
    id: user.id,
    name: user.name,
    email: user.email,
    email_verified: true,
  }),
  settings: (origin) => ({
    scope_delimiter: ' ',
    authorize_request: {
      endpoint: `${origin}/o/oauth2/v2/auth`,
      params: {
        client_id: '{{client_id}}',
        redirect_uri: '{{redirect_uri}}',
        scope: '{{scopes}} {{existing_scopes}}',
        access_type: 'offline',
        prompt: 'consent',
      },
    },
    token_request: {
      endpoint: `${origin}/token`,
      params: {
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        redirect_uri: '{{redirect_uri}}',
      },
    },
    refresh_request: {
      endpoint: `${origin}/token`,
      params: {
        client_id: '{{client_id}}',
        client_secret: '{{client_secret}}',
        refresh_token: '{{refresh_token}}',
      },
    },
    user_info_request: {
      endpoint: `${origin}/v1/userinfo`,
      auth_method: 'bearer_access_token',
      triggers: { on_token_grant: true },
    },
    revocation_request: { endpoint: `${origin}/revoke`, params: { token: '{{access_token}}' } },
  }),
};

async function idTokenOf(
  { grant }: Given,
  { clientId, origin, clientSecret, given }: StandIn,
): Promise<string> {
  const { id: sub, email, name } = grant.user;
  const token = await new SignJWT({ sub, email, name, iss: origin, aud: clientId })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(clientSecret));
  given.push(token);
  return token;
}

export const startGoogle = (options?: StandInOptions): Promise<StandIn> => startStandIn(quirk, options);
