import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { consentOf, grantedBefore } from './asking.ts';
import { isOf } from './connections/choice.ts';
import type { Connections } from './connections/connections.ts';
import type { Consenting } from './flows/contract.ts';
import type { Flows } from './flows/flows.ts';

export interface ConnectingDeps {
  readonly connections: Connections;
  readonly flows: Flows;
  readonly issuer: () => string;
}

/** Begins a consent for who is signed in at the page of connections. */
export function createConnecting({ connections, flows, issuer }: ConnectingDeps): Consenting['connect'] {
  return async ({ userId, personId }, { target, scopes, account }): Promise<Result<string, Refusal>> => {
    const accounts = account === null ? [] : await connections.of({ target, userId });
    const one = accounts.find((other) => other.name === account && isOf(other, { userId, personId })) ?? null;
    const begun = await flows.begin({
      ...{ target, userId, personId, account, lists: null, nextUri: null },
      wanted: { scopes, metadataUrl: null, isInsufficient: false },
      before: grantedBefore(one),
    });
    if (!begun.ok) return begun;
    if (begun.value !== null) return ok(consentOf(begun.value, issuer()).url);
    return err(refusal('resource.conflict', `${target.id} asks nobody for an authorization`));
  };
}
