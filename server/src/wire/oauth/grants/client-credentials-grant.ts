import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { ResourceServerOf } from './grants.ts';

/** Programs sign in as themselves: a token for one place, and none to refresh it with. */
export function addClientCredentials(provider: Provider, resourceServerOf: ResourceServerOf): void {
  provider.registerGrantType(
    'client_credentials',
    async (ctx) => {
      const { client, params } = ctx.oidc;
      const { resource, scope } = params;
      if (typeof resource !== 'string')
        throw new errors.InvalidTarget('say which gateway it is for: resource must be its URL');
      const server = await resourceServerOf(ctx, resource, client);
      const token = new provider.ClientCredentials({
        client,
        scope: scopeAt(server.scope, scope) || undefined,
      });
      token.resourceServer = new provider.ResourceServer(resource, server);
      ctx.oidc.entity('ClientCredentials', token);
      const value = await token.save();
      ctx.body = {
        access_token: value,
        token_type: token.tokenType,
        expires_in: token.expiration,
        ...(token.scope === undefined ? {} : { scope: token.scope }),
      };
    },
    ['scope', 'resource'],
  );
}

/** Those that are there and asked for, and the least of a gateway, `mcp`, in any case: nobody uses one without. */
function scopeAt(known: string, asked: string | undefined): string {
  const wanted = new Set((asked ?? '').split(' ').concat('mcp'));
  return known
    .split(' ')
    .filter((scope) => wanted.has(scope))
    .join(' ');
}
