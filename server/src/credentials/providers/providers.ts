import type { AuthProviderRequest, AuthProviderUpdate } from '@sallyport/contracts';
import { keyOfPlace, type Place, type Refusal, refusal } from '#domain';
import { type Clock, err, Fault, isMembers, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Vault } from '#vault';
import { apart, changedRequest, misledSecret } from './change.ts';
import { checkAuthProvider, completed } from './complete.ts';
import type { AuthProvider, ProviderSecrets, Providers } from './contract.ts';
import { resolve } from './resolve.ts';
import { createShelf, type Shelf, type ShelvedProvider } from './shelf.ts';
import { createProviderStore, type ProviderStore, type StoredProvider, topic } from './store.ts';

export interface ProvidersDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
  /** It is gone, and what users connected at it has to go, too. */
  readonly onRemoved: (provider: AuthProvider) => Promise<void>;
}

const maxInProject = 500;
const maxCharacters = 64 * 1024;
const purpose = 'auth provider';

/** Loads all providers, their secrets sealed. Every change is written to the database first and then to memory. */
export async function createProviders(deps: ProvidersDeps): Promise<Providers> {
  const { db, changes, vault, log, issuer } = deps;
  vault.keeps({ table: 'auth_providers', column: 'sealed' });
  const store = createProviderStore(db, changes);
  const shelf = createShelf();
  for (const stored of await store.load(null)) {
    const { provider } = shelf.put(shelvedOf(stored, 'api'));
    if (isUnfit(provider))
      log.warn(
        { project_id: provider.projectId, id: provider.id },
        'an auth provider lacks something that this version needs, and is inactive',
      );
  }
  changes.on(topic, async (id) => {
    const stored = (await store.load(id)).map((one) => shelvedOf(one, 'api'));
    shelf.keepOnly(id, stored);
    for (const one of stored) shelf.put(one);
  });
  const listed = (projectId: string) => shelf.list(projectId).map(({ provider }) => provider);

  return {
    list: listed,
    get: (projectId, id) => shelf.get(projectId, id)?.provider ?? null,
    resolve: (projectId, requirement) => resolve(listed(projectId), requirement),
    ...changingPart(deps, store, shelf),
    applyFile(projectId, requests) {
      shelf.keepFile(projectId, new Set(requests.map(({ id }) => id)));
      for (const request of requests) {
        const { written, clientSecret } = apart(request);
        const sealed = sealedSecret(vault, { projectId, id: request.id }, clientSecret);
        shelf.put(shelvedOf({ projectId, written, sealed, ...undated }, 'file'));
      }
    },
    secretsOf(provider) {
      const sealed = shelf.get(provider.projectId, provider.id)?.sealed ?? '';
      if (sealed === '') return { clientSecret: null };
      const opened = vault.open(purpose, sealed, keyOfPlace(provider));
      return opened instanceof Promise
        ? opened.then((value) => secretsIn(value, provider))
        : secretsIn(opened, provider);
    },
    hasSecret: ({ projectId, id }) => (shelf.get(projectId, id)?.sealed ?? '') !== '',
    redirectUriOf: (projectId, id) =>
      `${issuer()}/connect/callback/${encodeURIComponent(projectId)}/providers/${encodeURIComponent(id)}`,
  };
}

/** What the API changes. */
function changingPart(
  { vault, clock, onRemoved }: ProvidersDeps,
  store: ProviderStore,
  shelf: Shelf,
): Pick<Providers, 'create' | 'update' | 'remove'> {
  function changeable(projectId: string, id: string): Result<AuthProvider, Refusal> {
    const provider = shelf.get(projectId, id)?.provider ?? null;
    if (provider === null) return unknown(id);
    if (provider.origin === 'api') return ok(provider);
    const message = `auth provider ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  function changed(before: StoredProvider, update: AuthProviderUpdate): Result<StoredProvider, Refusal> {
    const change = changedRequest(before.written, update);
    if (!change.ok) return change;
    const { written, clientSecret } = change.value;
    const isSame = clientSecret === undefined;
    const misled = isSame && before.sealed !== '' ? misledSecret(before.written, written) : null;
    const problem = tooLarge(written) ?? checkAuthProvider(written) ?? misled;
    if (problem !== null) return err(problem);
    const name = { projectId: before.projectId, id: written.id };
    const sealed = isSame ? before.sealed : sealedSecret(vault, name, clientSecret);
    return ok({ ...before, written, sealed, updatedAt: clock.iso() });
  }

  return {
    async create(projectId, request) {
      const { id } = request;
      if (shelf.get(projectId, id) !== null) return taken(id);
      const problem = tooLarge(request) ?? checkAuthProvider(request);
      if (problem !== null) return err(problem);
      const now = clock.iso();
      const { written, clientSecret } = apart(request);
      const sealed = sealedSecret(vault, { projectId, id }, clientSecret);
      const stored = { projectId, written, sealed, createdAt: now, updatedAt: now };
      const inserted = await store.insert(stored, maxInProject);
      if (inserted === 'taken') return taken(id);
      if (inserted === 'too_many') return tooMany;
      return ok(shelf.put(shelvedOf(stored, 'api')).provider);
    },
    async update(projectId, id, update) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      const stored = await store.change(projectId, id, (before) => changed(before, update));
      if (stored === null) return unknown(id);
      return stored.ok ? ok(shelf.put(shelvedOf(stored.value, 'api')).provider) : stored;
    },
    async remove(projectId, id) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      if (!(await store.remove(projectId, id))) return unknown(id);
      shelf.drop(found.value);
      await onRemoved(found.value);
      return found;
    },
  };
}

function shelvedOf(stored: StoredProvider, origin: 'file' | 'api'): ShelvedProvider {
  const { projectId, written, sealed, createdAt, updatedAt } = stored;
  const complete = completed(written);
  const { id } = written;
  const { known, label, oauth2 } = complete.ok ? complete.value : { known: null, label: id, oauth2: null };
  const provider: AuthProvider = {
    id,
    projectId,
    type: written.type,
    providerId: written.provider_id ?? null,
    label,
    description: written.description ?? '',
    status: complete.ok ? (written.status ?? 'active') : 'inactive',
    written,
    known,
    oauth2,
    origin,
    createdAt,
    updatedAt,
  };
  return { provider, sealed };
}

/** What is known of a well-known provider has changed since it was registered. */
function isUnfit({ written, status }: AuthProvider): boolean {
  return status === 'inactive' && (written.status ?? 'active') === 'active';
}

function sealedSecret(vault: Vault, name: Place, clientSecret: string | null): string {
  return clientSecret === null ? '' : vault.seal(purpose, { clientSecret }, keyOfPlace(name));
}

function secretsIn(opened: unknown, { id }: Place): ProviderSecrets {
  if (!isMembers(opened) || typeof opened.clientSecret !== 'string')
    throw new Fault(`the secret of the auth provider ${id} is kept, but cannot be opened`);
  return { clientSecret: opened.clientSecret };
}

function tooLarge(request: AuthProviderRequest): Refusal | null {
  if (JSON.stringify(request).length <= maxCharacters) return null;
  return refusal('request.params_invalid', `must have at most ${maxCharacters} characters as JSON`);
}

/** What a file declares has no date of its own. */
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };

function unknown(id: string): Result<never, Refusal> {
  return err(refusal('resource.unknown', `there is no auth provider ${id}`, { field: 'id' }));
}

function taken(id: string): Result<never, Refusal> {
  return err(refusal('resource.conflict', `there is an auth provider ${id} already`, { field: 'id' }));
}

const tooMany: Result<never, Refusal> = err(
  refusal(
    'resource.conflict',
    `there are ${maxInProject} auth providers here already: remove one that nobody uses`,
  ),
);
