import type { Caller, Gateway, Refusal } from '#domain';
import type { Result } from '#foundation';
import type { AccessTokens, CameByToken } from './access-tokens/contract.ts';
import type { ApiKeys } from './api-keys/contract.ts';
import type { ActsAgain } from './assertions/act-as-asserted.ts';
import type { Assertion } from './assertions/assertions.ts';

/** A caller by ids, for what goes on after their request, in another process too: it holds nothing that they could be known by. */
export interface RememberedCaller {
  readonly projectId: string;
  readonly userId: string | null;
  readonly by:
    | { readonly keyId: string; readonly assertion: Assertion | null }
    | { readonly token: CameByToken };
}

export interface Remembering {
  remember(caller: Caller): RememberedCaller;
  /** As they are now; refused where they would not be let in any more. Of a key, its own place is for who asks to compare. */
  again(who: RememberedCaller, gateway: Gateway | null): Promise<Result<Caller, Refusal>>;
}

export interface RememberingDeps {
  readonly accessTokens: Pick<AccessTokens, 'grantOf' | 'callerAgain' | 'principalAgain'>;
  readonly apiKeys: Pick<ApiKeys, 'principalOf'>;
  readonly assertedOf: (caller: Caller) => Assertion | null;
  readonly actsAgain: ActsAgain;
}

export function createRemembering(deps: RememberingDeps): Remembering {
  const { accessTokens, apiKeys, assertedOf, actsAgain } = deps;

  function cameBy(caller: Caller): RememberedCaller['by'] {
    const { principal, clientId, scopes, signInId } = caller;
    if (principal.kind === 'api_key') return { keyId: principal.id, assertion: assertedOf(caller) };
    const token = {
      principalId: principal.id,
      signInId: signInId ?? principal.vouched?.signInId ?? null,
      grantId: accessTokens.grantOf(caller),
      clientId: clientId ?? '',
      scopes: [...(scopes ?? [])],
    };
    return { token };
  }

  return {
    remember: (caller) => ({
      projectId: caller.principal.projectId,
      userId: caller.userId,
      by: cameBy(caller),
    }),
    async again({ projectId, userId, by }, gateway) {
      if ('token' in by && gateway !== null) return accessTokens.callerAgain(by.token, gateway);
      const isKey = 'keyId' in by;
      const principal = isKey
        ? apiKeys.principalOf(projectId, by.keyId)
        : await accessTokens.principalAgain(by.token, projectId);
      if (!principal.ok) return principal;
      return actsAgain(principal.value, { userId, assertion: isKey ? by.assertion : null }, gateway);
    },
  };
}
