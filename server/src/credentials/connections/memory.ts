import type { MaybePromise } from '#foundation';
import type { Target } from '../authority.ts';
import type { Connection, Place } from '../store/kept.ts';

/** The accounts of users as this process knows them; their tokens sealed. */
export interface Memory {
  of(place: Place): MaybePromise<readonly Connection[]>;
  forget(place: Place): void;
  forgetTarget(target: Target): void;
  forgetAll(): void;
}

const maxPlaces = 20_000;

export function keyOf({ target, userId }: Place): string {
  return JSON.stringify([target.projectId, target.kind, target.id, userId]);
}

/** Reads once, however many ask; what is told to have changed while it is read is read again. */
export function createMemory(read: (place: Place) => Promise<readonly Connection[]>): Memory {
  /** In the order in which they were read. */
  const known = new Map<string, { readonly place: Place; readonly accounts: readonly Connection[] }>();
  const reading = new Map<string, Promise<readonly Connection[]>>();

  function readOnce(place: Place, key: string): Promise<readonly Connection[]> {
    const running = reading.get(key);
    if (running !== undefined) return running;
    const begun: Promise<readonly Connection[]> = read(place).then(
      (accounts) => {
        // Otherwise it changed meanwhile: good enough for who asked before, and for nobody else.
        if (reading.get(key) === begun) {
          reading.delete(key);
          const [oldest] = known.keys();
          if (known.size >= maxPlaces && oldest !== undefined) known.delete(oldest);
          known.set(key, { place, accounts });
        }
        return accounts;
      },
      (error) => {
        if (reading.get(key) === begun) reading.delete(key);
        throw error;
      },
    );
    reading.set(key, begun);
    return begun;
  }

  return {
    of(place) {
      const key = keyOf(place);
      return known.get(key)?.accounts ?? readOnce(place, key);
    },
    forget(place) {
      const key = keyOf(place);
      known.delete(key);
      reading.delete(key);
    },
    forgetTarget({ projectId, kind, id }) {
      reading.clear();
      for (const [key, { place }] of known) {
        const { target } = place;
        if (target.projectId === projectId && target.kind === kind && target.id === id) known.delete(key);
      }
    },
    forgetAll() {
      known.clear();
      reading.clear();
    },
  };
}
