import { type Caller, type Credential, type Refusal, refusal, type Source, type Tool } from '#domain';
import type { Egress } from '#egress';
import { type Clock, createSealer, err, Fault, type MaybePromise, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Vault } from '#vault';
import { createAsking, personOf } from './asking.ts';
import { createConnections } from './connections.ts';
import type { ConsentEvent, Credentials } from './contract.ts';
import { createFlows } from './flows/flows.ts';
import { createProviders } from './providers/providers.ts';
import { createSecrets } from './secrets/secrets.ts';
import { secretsForTool } from './secrets/secrets-for-tool.ts';
import { createConnectionStore } from './store/store.ts';
import { callbackOf, clientDocumentOf } from './upstream/clients.ts';
import { createFetchFor } from './upstream/fetching.ts';

export interface CredentialsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
  readonly sourceOf: (projectId: string, id: string) => Source | null;
  /** `null`: there is no such project. */
  readonly organizationOf: (projectId: string) => string | null;
  /** A consent has ended, as it must stand in the audit. */
  readonly onConsent: (event: ConsentEvent) => void | Promise<void>;
}

export async function createCredentials(deps: CredentialsDeps): Promise<Credentials> {
  const { db, clock, egress, issuer, sourceOf } = deps;
  const sealer = createSealer(await deps.vault.serverKey('connections of users'));
  const store = createConnectionStore(db, sealer);
  const fetchFor = createFetchFor(egress);
  const connections = await createConnections({ ...deps, store, fetchFor });
  const flows = createFlows({ ...deps, store, connections, fetchFor });
  const secrets = await createSecrets(deps);
  const providers = await createProviders({ ...deps, onRemoved: async () => {} });
  const asking = createAsking({ connections, flows, clock, issuer, sourceOf });

  function ofUser(caller: Caller, projectId: string, sourceId: string) {
    if (caller.userId === null || !connections.has(projectId, sourceId)) return nothing;
    const source = sourceOf(projectId, sourceId);
    return source?.kind === 'mcp'
      ? connections.credentialOf(source, { userId: caller.userId, personId: personOf(caller) })
      : nothing;
  }

  return {
    providers,
    authorizations: absent(),
    connections: absent(),
    secrets: secrets.secrets,
    attach({ caller, tool, given }) {
      const missing = missingProvider(tool);
      if (missing !== null) return err(missing);
      const asked = secretsForTool(tool, given, secrets.secrets);
      const user = () => ofUser(caller, tool.projectId, tool.sourceId);
      if (asked instanceof Promise)
        return asked.then((all) => (all.ok ? withSecrets(user(), all.value) : all));
      return asked.ok ? withSecrets(user(), asked.value) : asked;
    },
    forSource: (caller, { projectId, sourceId }) => ofUser(caller, projectId, sourceId),
    challenged: asking.challenged,
    resumed: asking.resumed,
    async listToken(source, refused) {
      const userId = connections.listUserOf(source);
      if (userId === null) return null;
      const who = { userId, personId: null };
      const credential = await (refused === null
        ? connections.credentialOf(source, who)
        : connections.anotherFor(source, who, refused));
      return credential.ok ? (credential.value?.authorization?.token ?? null) : null;
    },
    connectList: asking.connectList,
    redirectUriOf: ({ projectId, sourceId }) => callbackOf({ projectId, id: sourceId }, issuer()),
    countOf: store.countOf,
    forgetSource: connections.forgetSource,
    consents: {
      look: flows.look,
      open: flows.open,
      finish: flows.finish,
      clientDocument: ({ projectId, sourceId }) => clientDocumentOf({ projectId, id: sourceId }, issuer()),
    },
    close() {
      flows.close();
      void secrets.close();
    },
  };
}

const nothing = ok(null);

/** A part that is not built yet. */
function absent<T extends object>(): T {
  const get = (_: object, name: string | symbol) => {
    throw new Fault(`${String(name)} is not there yet`);
  };
  return new Proxy({}, { get }) as T;
}

function withSecrets(
  ofUser: MaybePromise<Result<Credential | null, Refusal>>,
  secrets: Credential['secrets'],
): MaybePromise<Result<Credential | null, Refusal>> {
  if (secrets.length === 0) return ofUser;
  const join = (credential: Result<Credential | null, Refusal>) =>
    credential.ok ? ok({ authorization: credential.value?.authorization ?? null, secrets }) : credential;
  return ofUser instanceof Promise ? ofUser.then(join) : join(ofUser);
}

function missingProvider({ qualifiedName, requirements }: Tool): Refusal | null {
  if (requirements.authorization === null) return null;
  const { provider_id, id } = requirements.authorization;
  const provider = provider_id ?? id ?? 'an unnamed provider';
  const message = `${qualifiedName} acts for the user at ${provider}, which is not set up here`;
  return refusal('credentials.not_configured', message);
}
