import type { GrantRequest } from '@sallyport/contracts';
import type { Entry } from '../entries.ts';

/** Grants that will expire, the next one first. */
export interface ExpiryQueue {
  /** One that never expires is not kept. */
  add(grant: Entry<GrantRequest>): void;
  remove(grant: Entry<GrantRequest>): void;
  /** Milliseconds since the epoch; infinite where nothing will expire. */
  nextMs(): number;
  /** Takes the next one out. */
  take(): Entry<GrantRequest> | undefined;
}

/** From this millisecond on a grant is as if it were not there; infinite for one that stays. */
export function expiresAtMs({ definition: { expires_at } }: Entry<GrantRequest>): number {
  return expires_at == null ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
}

export function createExpiryQueue(): ExpiryQueue {
  // The next one stands last, where taking it moves nothing.
  const grants: { readonly atMs: number; readonly grant: Entry<GrantRequest> }[] = [];

  function placeOf(atMs: number, id: string): number {
    let low = 0;
    let high = grants.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = grants[middle] as (typeof grants)[number];
      const isBefore = there.atMs > atMs || (there.atMs === atMs && there.grant.id > id);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    add(grant) {
      const atMs = expiresAtMs(grant);
      if (atMs !== Number.POSITIVE_INFINITY) grants.splice(placeOf(atMs, grant.id), 0, { atMs, grant });
    },
    remove(grant) {
      const place = placeOf(expiresAtMs(grant), grant.id);
      if (grants[place]?.grant === grant) grants.splice(place, 1);
    },
    nextMs: () => grants.at(-1)?.atMs ?? Number.POSITIVE_INFINITY,
    take: () => grants.pop()?.grant,
  };
}
