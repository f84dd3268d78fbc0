import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccessTokens } from '#identity';

/**
 * Lets clients revoke access tokens. The library refuses signed ones, once it knows which client asks; with one, everything
 * that came of its grant ends (RFC 7009 §2.1). What does not hold anyway, or is another client's, is answered like what was revoked.
 */
export function revokeAccessTokens(provider: Provider, { originOf }: Pick<AccessTokens, 'originOf'>): void {
  provider.use(async (ctx, next) => {
    await next();
    const { oidc, body } = ctx as KoaContextWithOIDC;
    const isRefused = (body as { error?: unknown } | null)?.error === 'unsupported_token_type';
    if (oidc?.route !== 'revocation' || !isRefused) return;
    const origin = await originOf(String(oidc.params?.token));
    // A program's own token has no grant that could end.
    if (origin !== null && origin.grantId === null) return;
    if (origin !== null && origin.clientId === oidc.client?.clientId) {
      const grant = await provider.Grant.find(origin.grantId ?? '');
      await grant?.destroy();
      provider.emit('grant.revoked', ctx as KoaContextWithOIDC, origin.grantId ?? '');
    }
    ctx.remove('content-type');
    ctx.status = 200;
    ctx.body = '';
  });
}
