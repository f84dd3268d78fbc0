import { randomBytes } from 'node:crypto';
import { type Clock, createSealer } from '#foundation';

/** A token that was got for a user's own. */
export interface Exchanged {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** Sign-ins that it rests on. */
  readonly signInIds: readonly string[];
}

interface Entry extends Omit<Exchanged, 'token'> {
  readonly sealed: string;
}

const maxKept = 10_000;
const purpose = 'exchanged token';

/** Exchanged tokens, in memory and sealed; the oldest make room. They outlive neither their time nor their sign-ins. */
export function createKeptExchanges(clock: Clock) {
  const sealer = createSealer(randomBytes(32));
  const kept = new Map<string, Entry>();

  return {
    get(key: string): Exchanged | null {
      const entry = kept.get(key);
      if (entry === undefined) return null;
      if (entry.expiresAtMs > clock.now()) {
        const { sealed, ...rest } = entry;
        return { ...rest, token: sealer.open(purpose, sealed, key) as string };
      }
      kept.delete(key);
      return null;
    },
    put(key: string, { token, ...rest }: Exchanged): void {
      kept.delete(key);
      kept.set(key, { ...rest, sealed: sealer.seal(purpose, token, key) });
      if (kept.size > maxKept) kept.delete(kept.keys().next().value as string);
    },
    drop: (key: string) => void kept.delete(key),
    /** `null`: any may have ended. */
    dropOf(signInId: string | null): void {
      for (const [key, { signInIds }] of kept)
        if (signInId === null || signInIds.includes(signInId)) kept.delete(key);
    },
  };
}

export type KeptExchanges = ReturnType<typeof createKeptExchanges>;
