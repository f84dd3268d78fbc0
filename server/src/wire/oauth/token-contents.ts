import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { claimsFor, type PeopleOfTokens, type SignedInAccount, signInOf } from './people.ts';
import type { Records } from './records.ts';
import type { Target, Targets } from './targets.ts';

/** An access token of the library, as far as we look into it. */
export interface IssuedToken {
  readonly kind: string;
  readonly accountId?: string;
  readonly grantId?: string;
  readonly clientId: string;
  readonly aud: string | readonly string[];
}

export interface ContentsDeps {
  readonly people: PeopleOfTokens;
  readonly targets: Targets;
  readonly records: Pick<Records, 'gatewayOf'>;
}

/** What our gateways and our API read in a token. */
export async function fillIn(
  ctx: KoaContextWithOIDC,
  token: IssuedToken,
  parts: { payload: Record<string, unknown> },
  deps: ContentsDeps,
): Promise<void> {
  const { people } = deps;
  const target = await targetOf(String(token.aud), token.grantId, deps);
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

/** The gateway may have gone since, and another one have its name. */
async function targetOf(
  resource: string,
  grantId: string | undefined,
  { targets, records }: ContentsDeps,
): Promise<Target> {
  const target = targets.ofResource(resource);
  const isThis =
    target !== null &&
    (grantId === undefined || (await records.gatewayOf(grantId)) === (target.gateway?.id ?? ''));
  if (isThis) return target;
  throw new errors.InvalidTarget('the gateway takes no sign-ins any more');
}

/** Asked before a refresh token is used up: whoever may come in again later has not lost it. Throws where they may not now. */
export async function mayRenew(ctx: KoaContextWithOIDC, deps: ContentsDeps): Promise<true> {
  const token = ctx.oidc.entities.RefreshToken;
  const signIn = signInOf(ctx);
  if (token === undefined || signIn === null) throw new errors.InvalidGrant('the sign-in has ended');
  const target = await targetOf(String(token.resource), token.grantId, deps);
  deps.people.claimsOf(signIn, token.grantId, target);
  return true;
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
