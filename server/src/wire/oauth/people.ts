import type { IncomingMessage } from 'node:http';
import { type Account, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { AccessTokenClaims, Identity, SignIn } from '#identity';
import { type Cookies, signInCookie } from '../sign-in/cookies.ts';
import type { Target } from './targets.ts';

/** A sign-in, as the library knows people. */
export interface SignedInAccount extends Account {
  readonly signIn: SignIn;
}

export interface PeopleDeps {
  readonly identity: Identity;
  readonly cookies: Cookies;
}

export function createPeopleOfTokens({ identity, cookies }: PeopleDeps) {
  /** As whom a sign-in comes in at a target. */
  function userAt(signIn: SignIn, { gateway }: Target): Result<string, Refusal> {
    if (gateway !== null) {
      const admitted = identity.accessTokens.admits(signIn, gateway);
      return admitted.ok ? ok(admitted.value.userId) : admitted;
    }
    const standing = identity.people.standing(signIn.personId);
    const hasRole = identity.people
      .projects(standing?.organizationId ?? '')
      .some(({ id }) => standing?.roleIn(id) != null);
    if (standing?.active === true && hasRole) return ok(standing.email || standing.personId);
    return err(refusal('identity.token_invalid', 'nothing of the API is open to this account'));
  }

  return {
    userAt,
    async ofBrowser(request: IncomingMessage): Promise<SignIn | null> {
      const cookie = cookies.read(request, signInCookie);
      return cookie === null ? null : await identity.signIns.ofBrowser(cookie);
    },
    async account(id: string): Promise<SignedInAccount | undefined> {
      const signIn = await identity.signIns.find(id);
      if (signIn === null) return undefined;
      const standing = identity.people.standing(signIn.personId);
      return {
        accountId: id,
        signIn,
        claims: async () => ({ sub: id, name: standing?.name, email: standing?.email || undefined }),
      };
    },
    claimsOf(signIn: SignIn, grantId: string | undefined, target: Target): AccessTokenClaims {
      const user = userAt(signIn, target);
      if (!user.ok) throw new errors.InvalidGrant(user.error.message);
      return claimsFor(target, {
        sub: user.value,
        sid: signIn.id,
        principal: signIn.personId,
        ...(grantId === undefined ? {} : { grant: grantId }),
      });
    },
  };
}

export type PeopleOfTokens = ReturnType<typeof createPeopleOfTokens>;

export function claimsFor({ gateway }: Target, claims: AccessTokenClaims): AccessTokenClaims {
  return gateway === null ? claims : { ...claims, gateway: gateway.id };
}

export function signInOf(ctx: KoaContextWithOIDC): SignIn | null {
  return (ctx.oidc.account as SignedInAccount | undefined)?.signIn ?? null;
}
