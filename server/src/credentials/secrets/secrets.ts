import { type Refusal, refusal } from '#domain';
import { type Clock, err, Fault, newId, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Vault } from '#vault';
import type { Secret, SecretPlace, Secrets } from './contract.ts';
import { createKeptSecrets } from './kept-secrets.ts';
import { placeOf } from './shelf.ts';

export interface SecretsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  /** `null`: there is no such project. */
  readonly organizationOf: (projectId: string) => string | null;
}

const maxInPlace = 1000;
const purpose = 'secret';

/** Loads all secrets, sealed. Every change is written to the database first and then to memory. */
export async function createSecrets(
  deps: SecretsDeps,
): Promise<{ readonly secrets: Secrets; readonly close: () => Promise<void> }> {
  const { vault, clock, organizationOf } = deps;
  vault.keeps({ table: 'secrets', column: 'sealed' });
  const kept = await createKeptSecrets(deps);
  const { store, ofApi, ofFile } = kept;

  const isOfFile = ({ projectId }: SecretPlace, key: string) =>
    projectId !== null && ofFile.get(projectId, key) !== null;

  const secrets: Secrets = {
    list: kept.list,
    async put(place, { key, value, description }) {
      if (isOfFile(place, key)) return readOnly(key, 'secret_key');
      const now = clock.iso();
      const head = { id: newId('sec', clock.now()), ...place, key, description: description ?? '' };
      const dates = { createdAt: now, updatedAt: now, lastAccessedAt: null };
      const secret: Secret = { ...head, origin: 'api', ...dates };
      const sealed = vault.seal(purpose, value, boundTo(secret));
      const stored = await store.upsert({ secret, sealed }, description, maxInPlace);
      if (stored === null) return tooMany;
      ofApi.put(placeOf(place), stored);
      kept.changed(place.projectId);
      return ok(stored.secret);
    },
    async remove(place, id) {
      if (isOfFile(place, id)) return readOnly(id, 'secret_id');
      const found = ofApi.list(placeOf(place)).find(({ secret }) => secret.id === id);
      if (found === undefined) return unknown(id);
      await store.remove(id);
      ofApi.drop(placeOf(place), found.secret.key);
      kept.changed(place.projectId);
      return ok(found.secret);
    },
    applyFile(projectId, declared) {
      const organizationId = organizationOf(projectId) ?? '';
      const keys = new Set(declared.map(({ key }) => key));
      for (const { secret } of ofFile.list(projectId))
        if (!keys.has(secret.key)) ofFile.drop(projectId, secret.key);
      for (const { key, value, description = '' } of declared) {
        const head = { id: key, organizationId, projectId, key, description, origin: 'file' } as const;
        const sealed = vault.seal(purpose, value, boundTo(head));
        ofFile.put(projectId, { secret: { ...head, ...undated, lastAccessedAt: null }, sealed });
      }
      kept.changed(projectId);
    },
    has: (projectId, key) => kept.find(projectId, key) !== null,
    open(projectId, key) {
      const found = kept.find(projectId, key);
      if (found === null) return null;
      found.lastAccessedAt = clock.iso();
      found.isTouched = true;
      const opened = vault.open(purpose, found.sealed, boundTo(found.secret));
      return opened instanceof Promise
        ? opened.then((value) => openedText(value, key))
        : openedText(opened, key);
    },
    onChange: kept.onChange,
  };
  return { secrets, close: kept.close };
}

function boundTo({ organizationId, projectId, key }: Pick<Secret, 'organizationId' | 'projectId' | 'key'>) {
  return JSON.stringify([organizationId, projectId, key]);
}

function openedText(opened: unknown, key: string): string {
  if (typeof opened !== 'string') throw new Fault(`the secret ${key} is kept, but cannot be opened`);
  return opened;
}

/** What a file declares has no date of its own. */
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };

function unknown(id: string): Result<never, Refusal> {
  return err(refusal('resource.unknown', `there is no secret ${id}`, { field: 'secret_id' }));
}

function readOnly(key: string, field: string): Result<never, Refusal> {
  const message = `the secret ${key} is declared in the config file; change it there`;
  return err(refusal('resource.read_only', message, { field }));
}

const tooMany: Result<never, Refusal> = err(
  refusal('resource.conflict', `there are ${maxInPlace} secrets here already: remove one that nobody uses`),
);
