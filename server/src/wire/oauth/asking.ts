import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Identity } from '#identity';
import { isConsentSkipped, personScopes } from './asked-parameters.ts';
import { type PeopleOfTokens, signInOf } from './people.ts';
import type { Target, Targets } from './targets.ts';

const { Check, Prompt } = interactionPolicy;

export interface AskingDeps {
  readonly identity: Identity;
  readonly people: PeopleOfTokens;
  readonly targets: Targets;
}

/** When a person must sign in, and when they are asked; and what they are taken to have allowed. */
export function createAsking({ identity, people, targets }: AskingDeps) {
  function targetOf(ctx: KoaContextWithOIDC): Target | null {
    const { resource } = ctx.oidc.params as { resource?: unknown };
    return typeof resource === 'string' ? targets.ofResource(resource) : null;
  }

  function mayComeIn(ctx: KoaContextWithOIDC): boolean {
    const signIn = signInOf(ctx);
    const target = targetOf(ctx);
    return signIn !== null && target !== null && people.userAt(signIn, target).ok;
  }

  function isAskedFor(ctx: KoaContextWithOIDC, prompt: string): boolean {
    return ctx.oidc.prompts.has(prompt) && ctx.oidc.promptPending(prompt);
  }

  function isTooOld({ oidc }: KoaContextWithOIDC): boolean {
    const { max_age } = oidc.params as { max_age?: unknown };
    return (
      max_age !== undefined &&
      oidc.result?.login === undefined &&
      oidc.session?.past(Number(max_age)) === true
    );
  }

  const login = new Prompt(
    { name: 'login', requestable: true },
    new Check('may_not_come_in', 'somebody who may come in must sign in', (ctx) => !mayComeIn(ctx)),
    new Check('max_age', 'the sign-in is too long ago', isTooOld),
  );
  const consent = new Prompt(
    { name: 'consent', requestable: true },
    new Check('not_allowed_yet', 'the person must allow it', (ctx) => ctx.oidc.grant?.jti === undefined),
  );

  return {
    policy: [login, consent],
    targetOf,
    /** A grant of its own for every authorization, where everything that is asked for was allowed. */
    async grantFor(ctx: KoaContextWithOIDC) {
      const signIn = signInOf(ctx);
      const target = targetOf(ctx);
      const { client } = ctx.oidc;
      if (signIn === null || target === null || client === undefined || !mayComeIn(ctx)) return undefined;
      if (isTooOld(ctx) || isAskedFor(ctx, 'login') || isAskedFor(ctx, 'consent')) return undefined;
      const scopes = [...ctx.oidc.requestParamScopes];
      const asked = {
        get: (name: string) => String((ctx.oidc.params as Record<string, unknown>)[name] ?? ''),
      };
      const allowed = isConsentSkipped(asked, target.gateway)
        ? scopes
        : await identity.consents.of(signIn.personId, client.clientId, target.gateway?.id ?? '');
      if (!scopes.every((scope) => allowed.includes(scope))) return undefined;
      const grant = new ctx.oidc.provider.Grant({ accountId: signIn.id, clientId: client.clientId });
      grant.addOIDCScope(scopes.filter((scope) => personScopes.includes(scope)).join(' '));
      grant.addResourceScope(
        target.audience,
        scopes.filter((scope) => !personScopes.includes(scope)).join(' '),
      );
      await grant.save();
      return grant;
    },
  };
}

export type Asking = ReturnType<typeof createAsking>;
