import type { GrantRequest } from '@sallyport/contracts';
import type { Gateway, Subject } from '#domain';
import type { Clock } from '#foundation';
import type { Entry, EntryList } from '../entries.ts';
import { createActingGrants } from './acting-grants.ts';
import type { Grants } from './contract.ts';
import { explainGrants } from './explanation.ts';
import { createListFilter } from './list-filter.ts';
import { type Beginning, createStandings } from './standing.ts';

export interface GrantsDeps {
  readonly entries: EntryList<GrantRequest>;
  readonly clock: Clock;
  /** Grants came to their end by themselves. */
  readonly onExpired: (grants: readonly Entry<GrantRequest>[]) => void;
}

/** How long it may take until clients are told that a grant expired; it does nothing more from the very millisecond. */
const tellExpiredMs = 1000;

export function createGrants({ entries, clock, onExpired }: GrantsDeps): Grants {
  const standings = createStandings();
  const filterList = createListFilter(standings.spend);
  const acting = createActingGrants(entries, clock, standings.forget);
  const stopTelling = clock.every(tellExpiredMs, () => {
    const expired = acting.takeExpired();
    if (expired.length > 0) onExpired(expired);
  });

  const standingOf = (projectId: string, subject: Subject, gateway: Gateway | null) =>
    standings.of(acting.of(projectId), subject, gateway?.slug ?? null);

  return {
    decide(subject, gateway, target) {
      acting.catchUp();
      const standing = standingOf(target.projectId, subject, gateway);
      return standings.decide(standing, beginningOn(gateway), target);
    },
    filter(subject, gateway, items, targetOf) {
      acting.catchUp();
      const standingIn = (projectId: string) => standingOf(projectId, subject, gateway);
      return filterList(standingIn, beginningOn(gateway), items, targetOf);
    },
    explain: (subject, gateway, target) =>
      explainGrants(entries.list(target.projectId), subject, gateway, target, clock.now()),
    claimNames: acting.claimNames,
    revision: acting.revision,
    fingerprint: acting.fingerprint,
    close: stopTelling,
  };
}

function beginningOn(gateway: Gateway | null): Beginning {
  return gateway?.access === 'granted' ? 'nothing' : 'all';
}
