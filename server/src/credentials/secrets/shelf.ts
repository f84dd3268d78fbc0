import type { Secret, SecretPlace } from './contract.ts';
import type { StoredSecret } from './store.ts';

/** A secret in memory; its value stays sealed. */
export interface ShelvedSecret extends StoredSecret {
  /** When it was opened last in this process or, as far as known, in another. */
  lastAccessedAt: string | null;
  /** Whether that has still to be written down. */
  isTouched: boolean;
}

/** What is held in memory of one place: the organisation, one of its projects, the config file. */
export function createShelf() {
  const places = new Map<string, Map<string, ShelvedSecret>>();

  const at = (place: string) => places.get(place) ?? new Map<string, ShelvedSecret>();

  return {
    get: (place: string, key: string): ShelvedSecret | null => places.get(place)?.get(key) ?? null,
    list: (place: string): readonly ShelvedSecret[] => [...at(place).values()],
    *all(): Iterable<ShelvedSecret> {
      for (const secrets of places.values()) yield* secrets.values();
    },
    put(place: string, stored: StoredSecret): Secret {
      const { secret } = stored;
      const before = places.get(place)?.get(secret.key);
      const lastAccessedAt = secret.lastAccessedAt ?? before?.lastAccessedAt ?? null;
      const isTouched = before?.isTouched ?? false;
      places.set(place, at(place).set(secret.key, { ...stored, lastAccessedAt, isTouched }));
      return secret;
    },
    drop: (place: string, key: string): void => void places.get(place)?.delete(key),
  };
}

export const placeOf = ({ organizationId, projectId }: SecretPlace): string =>
  JSON.stringify([organizationId, projectId]);
