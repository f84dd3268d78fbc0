import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { SignedInAccount } from '../people.ts';
import type { ResourceServerOf } from './grants.ts';
import { type AssertionDeps, redeemAssertion } from './identity-assertion.ts';
import { jwtBearer } from './service-account-client.ts';

/** Enterprise-managed authorization: an access token, and none to refresh it with; for the next one the issuer is asked again. */
export function addIdentityAssertions(
  provider: Provider,
  resourceServerOf: ResourceServerOf,
  deps: AssertionDeps,
): void {
  provider.registerGrantType<{ assertion?: unknown }>(
    jwtBearer,
    async (ctx) => {
      const { client, params } = ctx.oidc;
      const { assertion, resource: asked, scope } = params;
      if (client.clientAuthMethod === 'none')
        throw new errors.UnauthorizedClient('this grant is for clients that authenticate');
      if (typeof assertion !== 'string') throw new errors.InvalidRequest('assertion is missing');
      const named = typeof asked === 'string' ? asked : undefined;
      const brought = { assertion, clientId: client.clientId, resource: named, scope };
      const redeemed = await redeemAssertion(brought, deps);
      if (!redeemed.ok) throw new errors.InvalidGrant(redeemed.error);
      const { resource, signIn, scope: given, expiresInS } = redeemed.value;
      const account = { accountId: signIn.id, signIn, claims: async () => ({ sub: signIn.id }) };
      ctx.oidc.entity('Account', account satisfies SignedInAccount);
      const server = await resourceServerOf(ctx, resource, client);
      const token = new provider.AccessToken({
        accountId: signIn.id,
        client,
        gty: jwtBearer,
        scope: given,
        expiresIn: expiresInS,
        // It hangs on the sign-in alone.
        grantId: undefined as unknown as string,
      });
      token.resourceServer = new provider.ResourceServer(resource, server);
      ctx.oidc.entity('AccessToken', token);
      const value = await token.save();
      ctx.body = {
        access_token: value,
        token_type: token.tokenType,
        expires_in: token.expiration,
        scope: given,
      };
    },
    ['assertion', 'resource', 'scope'],
  );
}
