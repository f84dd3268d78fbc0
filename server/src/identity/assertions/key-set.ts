import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Egress, Trust } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';

/** Keys that were taken away by their issuer are believed no longer than this. */
const maxAgeMs = 10 * 60_000;
/** However many tokens name a key that is not there. */
const minIntervalMs = 60_000;
/** Where there are no keys yet. */
const retryMs = 5_000;
const fetchTimeoutMs = 5_000;
const maxBytes = 512 * 1024;
const maxKeys = 100;

export type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** The keys that an issuer publishes. */
export interface KeySet {
  /** As they were last seen; looks again where that is long ago. */
  current(): Promise<Result<KeyFinder, string>>;
  /** Looks again for a key that was not among them; `null` where it looked less than `minIntervalMs` ago, a minute unless given. */
  renewed(minIntervalMs?: number): Promise<KeyFinder | null>;
  /** When what they said has to be asked again: keys may have been taken away by then. */
  goodUntilMs(): number;
}

/** One fetch at a time. While the issuer does not answer, the last good keys hold. */
export function createKeySet(uri: string, trust: Trust, deps: { egress: Egress; clock: Clock }): KeySet {
  const { egress, clock } = deps;
  let keys: KeyFinder | null = null;
  let seenAtMs = Number.NEGATIVE_INFINITY;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let problem = '';
  let looking: Promise<void> | null = null;

  async function look(): Promise<void> {
    triedAtMs = clock.now();
    const fetched = await fetchKeys(uri, trust, egress);
    if (!fetched.ok) {
      problem = fetched.error;
      return;
    }
    keys = fetched.value;
    seenAtMs = clock.now();
  }

  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  return {
    async current() {
      const now = clock.now();
      const isDue =
        keys === null
          ? now - triedAtMs >= retryMs
          : now - seenAtMs >= maxAgeMs && now - triedAtMs >= minIntervalMs;
      if (isDue || (keys === null && looking !== null)) await lookOnce();
      return keys === null ? err(`the keys of the issuer are not to be had: ${problem}`) : ok(keys);
    },
    async renewed(atMostEveryMs = minIntervalMs) {
      if (looking === null && clock.now() - triedAtMs < atMostEveryMs) return null;
      await lookOnce();
      return keys;
    },
    goodUntilMs: () => seenAtMs + maxAgeMs,
  };
}

async function fetchKeys(uri: string, trust: Trust, egress: Egress): Promise<Result<KeyFinder, string>> {
  const headers = 'accept: application/json\r\n';
  const answer = await egress.get(uri, trust, { headers, timeoutMs: fetchTimeoutMs, maxBytes });
  if (!answer.ok) return err(answer.error.message);
  if (answer.value.status !== 200) return err(`their address answers with status ${answer.value.status}`);
  try {
    const jwks = JSON.parse(answer.value.body.toString('utf8')) as JSONWebKeySet;
    if (jwks.keys.length > maxKeys) return err(`there are more than ${maxKeys} of them`);
    return ok(createLocalJWKSet(jwks));
  } catch {
    return err('their address answers with something else');
  }
}
