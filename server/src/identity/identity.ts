import type { Egress } from '#egress';
import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import { absent } from './absent.ts';
import { actAs } from './act-as.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { createAsserted } from './assertions/act-as-asserted.ts';
import { createAssertions } from './assertions/assertions.ts';
import { createConsents } from './authorization/consents.ts';
import { createSigningKeys } from './authorization/signing-keys.ts';
import type { Identity } from './contract.ts';
import type { People } from './people/contract.ts';
import { createServiceAccounts } from './service-accounts/service-accounts.ts';
import { createSignIns } from './sign-ins/sign-ins.ts';
import type { UserSources } from './user-sources/contract.ts';

export interface IdentityDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin as clients know it, `https://host`: the issuer of our tokens. Known once the server listens. */
  readonly issuer: () => string;
}

/** Puts the parts of the room together. Keys, people and projects are loaded; tokens and sign-ins are read when needed. */
export async function createIdentity(deps: IdentityDeps): Promise<Identity> {
  const serviceAccounts = await createServiceAccounts(deps);
  const apiKeys = await createApiKeys({ ...deps, serviceAccounts });
  const people: People = absent();
  const userSources: UserSources = absent();
  const signingKeys = await createSigningKeys(deps);
  const signIns = createSignIns({ ...deps, people });
  return {
    ...apiKeys,
    actAs: (principal, userId) => actAs(principal, userId),
    ...createAsserted(createAssertions(deps), deps.clock),
    people,
    userSources,
    signIns,
    serviceAccounts,
    accessTokens: absent(),
    signingKeys,
    consents: createConsents(deps),
  };
}
