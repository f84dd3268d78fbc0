import type { Clock } from '#foundation';

const failuresToRest = 3;
const firstRestMs = 5000;
const longestRestMs = 5 * 60_000;

/** Keeps what does not answer from being asked again and again. */
export interface Circuit {
  /** Whether to ask now; who was let through says how it ended. While it rests nobody is, then one at a time until it is well. */
  admits(): boolean;
  /** Until when nobody is let through, in ms from now; 0: not resting. */
  restsMs(): number;
  answered(): void;
  /** `restMs`: it said itself for how long it wants to be left alone, or it is surely of no use for a while. */
  failed(reason: string, restMs: number | null): void;
  /** Who asked went away: nothing was learned. */
  abandoned(): void;
}

export interface CircuitDeps {
  readonly clock: Clock;
  /** Called with why when it begins to rest, and with `null` when it answers again. */
  readonly onChange: (reason: string | null) => void;
}

export function createCircuit({ clock, onChange }: CircuitDeps): Circuit {
  let failures = 0;
  let restMs = firstRestMs;
  let restsUntil = 0;
  let isOpen = false;
  let isProbed = false;

  return {
    admits() {
      if (!isOpen) return true;
      if (isProbed || clock.monotonic() < restsUntil) return false;
      isProbed = true;
      return true;
    },
    restsMs: () => (isOpen ? Math.max(0, restsUntil - clock.monotonic()) : 0),
    answered() {
      failures = 0;
      restMs = firstRestMs;
      isProbed = false;
      if (!isOpen) return;
      isOpen = false;
      onChange(null);
    },
    failed(reason, askedMs) {
      failures++;
      isProbed = false;
      if (!isOpen && failures < failuresToRest && askedMs === null) return;
      restsUntil = clock.monotonic() + Math.min(longestRestMs, Math.max(restMs, askedMs ?? 0));
      restMs = Math.min(longestRestMs, restMs * 2);
      if (isOpen) return;
      isOpen = true;
      onChange(reason);
    },
    abandoned() {
      isProbed = false;
    },
  };
}
