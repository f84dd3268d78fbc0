import type { SourceReturn } from '#domain';
import { type Clock, err, type Result, randomHex } from '#foundation';
import type { CallFailure } from '../contract.ts';
import type { Dispatched } from './ask-for.ts';
import type { Interaction } from './interaction.ts';

/** A request that stays open at a server while its client, which cannot be asked at once, fetches the answers. */
export interface Waiting {
  readonly interaction: Interaction;
  outcome: Promise<Result<SourceReturn, CallFailure>>;
  /** Cancels it at the server. */
  readonly abort: AbortController;
  /** The client's request that waits for it now. */
  readonly carrier: { current: Dispatched };
}

/** The requests of one source that wait for their clients. */
export interface ParkingLot {
  /** The state that finds it again; `null` where too many wait already. */
  park(waiting: Waiting, of: Parker): string | null;
  /** Only for whom it was parked, and only once; `null` where it is not there any more. */
  take(state: string, of: Parker): Waiting | null;
  close(): void;
}

export interface Parker {
  readonly user: string;
  /** The method and what it is about. */
  readonly what: string;
}

interface Entry extends Parker {
  readonly waiting: Waiting;
  readonly endsAt: number;
  heldBytes: number;
}

const prefix = 'sallyport-waiting:';
const maxWaiting = 1000;
const maxPerUser = 50;
const waitMs = 10 * 60_000;
/** Results that came while nobody waited for them. */
const maxHeldBytes = 64 * 1024 * 1024;

export const isParkedState = (state: string | null): state is string => state?.startsWith(prefix) === true;

export function createParkingLot(clock: Clock): ParkingLot {
  // The oldest first.
  const entries = new Map<string, Entry>();
  let heldBytes = 0;
  const stopSweeping = clock.every(10_000, () => {
    for (const [state, entry] of entries) {
      if (entry.endsAt > clock.now()) return;
      remove(state, entry);
      cancel(entry);
    }
  });

  function remove(state: string, entry: Entry): void {
    entries.delete(state);
    heldBytes -= entry.heldBytes;
    entry.heldBytes = 0;
  }

  function cancel({ waiting }: Entry): void {
    waiting.abort.abort();
    waiting.interaction.end();
  }

  async function watch(state: string, entry: Entry): Promise<void> {
    const outcome = await entry.waiting.outcome;
    if (entries.get(state) !== entry || !outcome.ok || outcome.value.form !== 'mcp') return;
    const { length } = outcome.value.result;
    if (heldBytes + length > maxHeldBytes) entry.waiting.outcome = Promise.resolve(err(waitingLost()));
    else {
      entry.heldBytes = length;
      heldBytes += length;
    }
  }

  return {
    park(waiting, { user, what }) {
      const ofUser = [...entries.values()].filter((entry) => entry.user === user).length;
      if (entries.size >= maxWaiting || ofUser >= maxPerUser) return null;
      const state = prefix + randomHex(16);
      const entry = { waiting, user, what, endsAt: clock.now() + waitMs, heldBytes: 0 };
      entries.set(state, entry);
      void watch(state, entry);
      return state;
    },
    take(state, { user, what }) {
      const entry = entries.get(state);
      if (entry === undefined || entry.user !== user || entry.what !== what) return null;
      remove(state, entry);
      return entry.waiting;
    },
    close() {
      stopSweeping();
      for (const [state, entry] of entries) {
        remove(state, entry);
        cancel(entry);
      }
    },
  };
}

export function waitingLost(): CallFailure {
  const message =
    'the server does not wait for these answers any more: it took too long, they were given before, or the gateway was restarted; begin again without requestState, and mind that a part may have been done';
  return { code: 'source.waiting_lost', message, step: 'tools_fetched' };
}
