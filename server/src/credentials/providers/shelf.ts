import type { AuthProvider } from './contract.ts';

/** A provider in memory; its secrets stay sealed. */
export interface ShelvedProvider {
  readonly provider: AuthProvider;
  readonly sealed: string;
}

export type Shelf = ReturnType<typeof createShelf>;

/** All providers. What the config file declares hides what the API registered with the same id. */
export function createShelf() {
  const ofApi = new Map<string, Map<string, ShelvedProvider>>();
  const ofFile = new Map<string, Map<string, ShelvedProvider>>();

  const placeOf = ({ origin }: AuthProvider) => (origin === 'file' ? ofFile : ofApi);

  function drop(provider: AuthProvider): void {
    placeOf(provider).get(provider.projectId)?.delete(provider.id);
  }

  return {
    get: (projectId: string, id: string): ShelvedProvider | null =>
      ofFile.get(projectId)?.get(id) ?? ofApi.get(projectId)?.get(id) ?? null,
    list(projectId: string): readonly ShelvedProvider[] {
      const declared = ofFile.get(projectId) ?? new Map<string, ShelvedProvider>();
      const registered = [...(ofApi.get(projectId)?.values() ?? [])];
      return [...declared.values(), ...registered.filter(({ provider }) => !declared.has(provider.id))];
    },
    put(shelved: ShelvedProvider): ShelvedProvider {
      const { provider } = shelved;
      const place = placeOf(provider);
      const providers = place.get(provider.projectId) ?? new Map<string, ShelvedProvider>();
      place.set(provider.projectId, providers.set(provider.id, shelved));
      return shelved;
    },
    drop,
    /** Of those with this id, or all: what another replica has removed goes. */
    keepOnly(id: string | null, stored: readonly ShelvedProvider[]): void {
      const kept = new Set(stored.map(({ provider }) => JSON.stringify([provider.projectId, provider.id])));
      for (const providers of ofApi.values())
        for (const { provider } of [...providers.values()]) {
          const isMeant = id === null || provider.id === id;
          if (isMeant && !kept.has(JSON.stringify([provider.projectId, provider.id]))) drop(provider);
        }
    },
    /** What the file does not declare any more goes. */
    keepFile(projectId: string, ids: ReadonlySet<string>): void {
      for (const { provider } of [...(ofFile.get(projectId)?.values() ?? [])])
        if (!ids.has(provider.id)) drop(provider);
    },
  };
}
