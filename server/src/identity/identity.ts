import type { Egress } from '#egress';
import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Vault } from '#vault';
import { createAccessTokens } from './access-tokens/access-tokens.ts';
import { createActAs } from './acting.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { presentedToken } from './api-keys/key-text.ts';
import { createAsserted } from './assertions/act-as-asserted.ts';
import { createAssertions } from './assertions/assertions.ts';
import { createConsents } from './authorization/consents.ts';
import { createSigningKeys } from './authorization/signing-keys.ts';
import { startTidyUp } from './authorization/tidy-up.ts';
import type { Identity } from './contract.ts';
import { createDirectory } from './directory/directory.ts';
import { createPeople } from './people/people.ts';
import { createRemembering } from './remembering.ts';
import { createServiceAccounts } from './service-accounts/service-accounts.ts';
import { createKeptTokens } from './sign-ins/kept-tokens.ts';
import { createSignIns } from './sign-ins/sign-ins.ts';
import { createSubjects } from './subjects.ts';
import { createUserSources } from './user-sources/user-sources.ts';

export interface IdentityDeps {
  readonly db: Db;
  readonly changes: Changes;
  /** Seals what issuers know us by, and the keys that sign tokens. */
  readonly vault: Vault;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  /** Our own origin as clients know it, `https://host`: the issuer of our tokens. Known once the server listens. */
  readonly issuer: () => string;
  /** Whether a project exchanges tokens of its users' sign-ins for others; where none does, none are kept. */
  readonly exchangesTokens: (projectId: string) => boolean;
}

const anywhere = { organizationId: null, projectId: null };

/** Puts the parts of the room together. Keys, people and projects are loaded; tokens and sign-ins are read when needed. */
export async function createIdentity(deps: IdentityDeps): Promise<Identity> {
  const serviceAccounts = await createServiceAccounts(deps);
  const apiKeys = await createApiKeys({ ...deps, serviceAccounts });
  const people = await createPeople({ ...deps, endSignIns: (personId) => signIns.endAllOf(personId) });
  const userSources = await createUserSources(deps);
  const signingKeys = await createSigningKeys(deps);
  const issuerTokens = createKeptTokens({ ...deps, userSources });
  const signIns = createSignIns({ ...deps, people, issuerTokens });
  startTidyUp(deps);
  const accessTokens = createAccessTokens({
    ...deps,
    people,
    userSources,
    serviceAccounts,
    signIns,
    signingKeys,
  });
  const actAs = createActAs(people);
  const { assertionOf, assertedOf, actsAgain, ...asserted } = createAsserted(
    createAssertions(deps),
    actAs,
    deps,
  );
  const { authenticate: authenticateKey, principalOf: _, ...keys } = apiKeys;
  return {
    ...keys,
    authenticateKey,
    authenticate(authorization, place = anywhere) {
      const token = presentedToken(authorization);
      return token === null ? authenticateKey(authorization) : accessTokens.principal(token, place);
    },
    actAs: (principal, userId) => actAs(principal, userId),
    ...asserted,
    ...createRemembering({ accessTokens, apiKeys, assertedOf, actsAgain }),
    subjects: createSubjects({ signIns, userSources, assertionOf }),
    people,
    directory: createDirectory({ ...deps, people, signIns }),
    userSources,
    signIns,
    serviceAccounts,
    accessTokens,
    signingKeys,
    consents: createConsents(deps),
  };
}
