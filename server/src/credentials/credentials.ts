import type { Credential, Refusal, Source } from '#domain';
import type { Egress } from '#egress';
import { type Clock, type MaybePromise, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log, Metrics } from '#telemetry';
import type { Vault } from '#vault';
import { createAsking } from './asking.ts';
import { createAttaching } from './attach.ts';
import { authorityOfBoth } from './authorities.ts';
import type { Target } from './authority.ts';
import { createConnecting } from './connecting.ts';
import { createConnections } from './connections/connections.ts';
import { createUserConnections } from './connections/user-connections.ts';
import type { ConsentEvent, Credentials } from './contract.ts';
import { createAtSources } from './exchange/at-sources.ts';
import type { Subjects } from './exchange/contract.ts';
import { createExchanging } from './exchange/exchanging.ts';
import { createTokenShelf } from './exchange/shelf.ts';
import { createAuthorizations } from './flows/authorizations.ts';
import { createFlows, type Flows } from './flows/flows.ts';
import { createListToken } from './list-token.ts';
import { createProviderAuthority } from './oauth2/provider-authority.ts';
import { createProviders } from './providers/providers.ts';
import { createSecrets } from './secrets/secrets.ts';
import { secretsForTool } from './secrets/secrets-for-tool.ts';
import { createConnectionStore } from './store/store.ts';
import { createSourceAuthority } from './upstream/authority.ts';
import { callbackOf, clientDocumentOf } from './upstream/clients.ts';
import { createFetchFor } from './upstream/fetching.ts';

export interface CredentialsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  /** Our own origin. */
  readonly issuer: () => string;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
  /** Who callers are elsewhere. */
  readonly subjects: Subjects;
  /** `null`: there is no such project. */
  readonly organizationOf: (projectId: string) => string | null;
  /** What happened, as it must stand in the audit. */
  readonly onConsent: (event: ConsentEvent) => void | Promise<void>;
}

export async function createCredentials(given: CredentialsDeps): Promise<Credentials> {
  const { db, egress, issuer, sourceOf } = given;
  const store = createConnectionStore(db, given.vault);
  const fetchFor = createFetchFor(egress);
  const secrets = await createSecrets(given);
  const providers = await createProviders({
    ...given,
    onRemoved: ({ projectId, id }) => forget({ projectId, kind: 'provider', id }),
  });
  const sourceAuthority = createSourceAuthority({ ...given, store, fetchFor });
  const authority = authorityOfBoth({
    provider: createProviderAuthority({ ...given, providers }),
    source: sourceAuthority,
  });
  const exchangesTokens = (projectId: string) =>
    providers.list(projectId).some(({ type, status }) => type === 'token_exchange' && status === 'active');
  const shelf = createTokenShelf(given);
  const exchanging = createExchanging({ ...given, providers, shelf });
  const atSources = createAtSources({
    ...{ ...given, shelf, fetchFor, exchangesTokens },
    authority: sourceAuthority,
  });
  const deps = { ...given, store, providers, authority, onEvent: given.onConsent };
  const connections = await createConnections(deps);
  const redirectUriOf = ({ projectId, kind, id }: Target) =>
    kind === 'provider' ? providers.redirectUriOf(projectId, id) : callbackOf({ projectId, id }, issuer());
  const stampOf = ({ projectId, kind, id }: Target) =>
    (kind === 'provider' ? providers.get(projectId, id) : sourceOf(projectId, id))?.updatedAt ?? '';
  const flows: Flows = createFlows({ ...deps, connections, redirectUriOf, stampOf });
  const all = { ...deps, connections, flows, exchanging, atSources };
  const asking = createAsking(all);
  const attaching = createAttaching(all);

  async function forget(target: Target): Promise<void> {
    // First, so that none of them leaves a connection behind.
    await flows.endAllAt(target);
    await connections.forgetTarget(target);
  }

  return {
    providers,
    authorizations: createAuthorizations(all),
    connections: createUserConnections(all),
    secrets: secrets.secrets,
    attach({ caller, tool, gateway, given: fromHooks, peek = false, refused = null }) {
      const asked = secretsForTool(tool, fromHooks, secrets.secrets);
      const user = () => attaching.forTool(caller, tool, { gateway, isPeek: peek, refused });
      if (asked instanceof Promise)
        return asked.then((opened) => (opened.ok ? withSecrets(user(), opened.value) : opened));
      return asked.ok ? withSecrets(user(), asked.value) : asked;
    },
    forSource: (caller, { projectId, sourceId }) =>
      withSecrets(attaching.forSource(caller, projectId, sourceId), none),
    ...asking,
    listToken: createListToken(all),
    redirectUriOf: ({ projectId, sourceId }) => callbackOf({ projectId, id: sourceId }, issuer()),
    exchangesTokens,
    forgetSource: (projectId, id) => forget({ projectId, kind: 'source', id }),
    consents: {
      look: flows.look,
      open: flows.open,
      enter: flows.enter,
      finish: flows.finish,
      ended: flows.ended,
      failedLately: flows.failedLately,
      connect: createConnecting(all),
      clientDocument: ({ projectId, sourceId }) => clientDocumentOf({ projectId, id: sourceId }, issuer()),
    },
    close() {
      flows.close();
      connections.close();
      void secrets.close();
    },
  };
}

const none: Credential['secrets'] = [];
const nothing = ok(null);

function withSecrets(
  ofUser: MaybePromise<Result<Credential['authorization'], Refusal>>,
  secrets: Credential['secrets'],
): MaybePromise<Result<Credential | null, Refusal>> {
  const join = (given: Result<Credential['authorization'], Refusal>) => {
    if (!given.ok) return given;
    if (given.value === null && secrets.length === 0) return nothing;
    return ok({ authorization: given.value, secrets });
  };
  return ofUser instanceof Promise ? ofUser.then(join) : join(ofUser);
}
