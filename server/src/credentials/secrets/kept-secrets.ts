import { messageOf } from '#foundation';
import type { Secret } from './contract.ts';
import type { SecretsDeps } from './secrets.ts';
import { createShelf, placeOf, type ShelvedSecret } from './shelf.ts';
import { createSecretStore, topic } from './store.ts';

const notedEveryMs = 60_000;

/** All secrets in memory, sealed: those of the API as they are in the database, and those of the file. */
export async function createKeptSecrets({ db, changes, clock, log, organizationOf }: SecretsDeps) {
  const store = createSecretStore(db, changes);
  const ofApi = createShelf();
  const ofFile = createShelf();
  const listeners = new Set<(projectId: string | null) => void>();
  await look(null);
  changes.on(topic, look);
  let noted = Promise.resolve();
  const stopNoting = clock.every(notedEveryMs, noteAccesses);

  /** As they are in the database now; `null`: all. */
  async function look(id: string | null): Promise<void> {
    const stored = await store.load(id);
    const there = new Set(stored.map(({ secret }) => secret.id));
    const gone = [...ofApi.all()].filter(
      ({ secret }) => (id === null || secret.id === id) && !there.has(secret.id),
    );
    for (const { secret } of gone) ofApi.drop(placeOf(secret), secret.key);
    for (const one of stored) ofApi.put(placeOf(one.secret), one);
    const [meant] = [...stored, ...gone];
    if (id === null) changed(null);
    else if (meant !== undefined) changed(meant.secret.projectId);
  }

  function changed(projectId: string | null): void {
    for (const listener of listeners) listener(projectId);
  }

  function noteAccesses(): void {
    const all = [...ofApi.all()];
    if (all.length === 0) return;
    const touched = all.filter(({ isTouched }) => isTouched);
    for (const one of touched) one.isTouched = false;
    const ids = touched.map(({ secret }) => secret.id);
    const at = clock.iso();
    const write = noted.then(() => store.accessed(ids, at));
    noted = write.then(
      (known) => {
        for (const one of ofApi.all()) {
          const last = known.get(one.secret.id) ?? null;
          if (last !== null && last > (one.lastAccessedAt ?? '')) one.lastAccessedAt = last;
        }
      },
      (error) => log.warn({ error: messageOf(error) }, 'when secrets were used last could not be kept'),
    );
  }

  return {
    store,
    ofApi,
    ofFile,
    changed,
    onChange: (listener: (projectId: string | null) => void) => void listeners.add(listener),

    /** The project's own goes before that of its organisation, and what the file declares before both. */
    find(projectId: string, key: string): ShelvedSecret | null {
      const organizationId = organizationOf(projectId);
      if (organizationId === null) return null;
      return (
        ofFile.get(projectId, key) ??
        ofApi.get(placeOf({ organizationId, projectId }), key) ??
        ofApi.get(placeOf({ organizationId, projectId: null }), key)
      );
    },

    list(projectId: string): readonly Secret[] {
      const organizationId = organizationOf(projectId);
      if (organizationId === null) return [];
      const own = ofApi
        .list(placeOf({ organizationId, projectId }))
        .filter(({ secret }) => ofFile.get(projectId, secret.key) === null);
      const shared = ofApi.list(placeOf({ organizationId, projectId: null }));
      return [...ofFile.list(projectId), ...own, ...shared]
        .map(({ secret, lastAccessedAt }) => ({ ...secret, lastAccessedAt }))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    },

    /** Done when it is written down what was opened last. */
    close(): Promise<void> {
      stopNoting();
      noteAccesses();
      return noted;
    },
  };
}
