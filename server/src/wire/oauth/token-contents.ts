import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { claimsFor, type PeopleOfTokens, type SignedInAccount, signInOf } from './people.ts';
import type { Targets } from './targets.ts';

/** An access token of the library, as far as we look into it. */
export interface IssuedToken {
  readonly kind: string;
  readonly accountId?: string;
  readonly grantId?: string;
  readonly clientId: string;
  readonly aud: string | readonly string[];
}

/** What our gateways and our API read in a token. */
export async function fillIn(
  ctx: KoaContextWithOIDC,
  token: IssuedToken,
  parts: { payload: Record<string, unknown> },
  { people, targets }: { readonly people: PeopleOfTokens; readonly targets: Targets },
): Promise<void> {
  const target = targets.ofResource(String(token.aud));
  if (target === null) throw new errors.InvalidTarget('the gateway takes no sign-ins any more');
  if (token.accountId === undefined) {
    const { clientId } = token;
    Object.assign(parts.payload, claimsFor(target, { sub: clientId, principal: clientId }));
    return;
  }
  const known = ctx.oidc.account as SignedInAccount | undefined;
  const account = known?.accountId === token.accountId ? known : await people.account(token.accountId);
  if (account === undefined) throw new errors.InvalidGrant('the sign-in has ended');
  Object.assign(parts.payload, people.claimsOf(account.signIn, token.grantId, target));
}

/** Sign-ins come and go; in ID tokens a person is always the same. */
export function namePeople(provider: Provider): void {
  const { prototype } = provider.IdToken as unknown as {
    prototype: {
      ctx: KoaContextWithOIDC;
      set(name: string, value: unknown): void;
      payload(): Promise<Record<string, unknown>>;
    };
  };
  const { payload } = prototype;
  prototype.payload = async function () {
    const signIn = signInOf(this.ctx);
    if (signIn !== null) this.set('sub', signIn.personId);
    return await payload.call(this);
  };
}
