import { createHash } from 'node:crypto';
import type { GrantRequest } from '@sallyport/contracts';
import type { Clock } from '#foundation';
import type { Entry, EntryList } from '../entries.ts';
import type { Grants } from './contract.ts';
import { createExpiryQueue, expiresAtMs } from './expiry-queue.ts';
import { createSubjectIndex, type SubjectIndex } from './subject-index.ts';

/** The grants that act now: all but those that expired. */
export interface ActingGrants extends Pick<Grants, 'claimNames' | 'revision' | 'fingerprint'> {
  of(projectId: string): SubjectIndex;
  /** Takes out what has expired; whoever reads asks for it first. */
  catchUp(): void;
  /** The grants that expired since the last time. */
  takeExpired(): readonly Entry<GrantRequest>[];
}

export function createActingGrants(
  entries: EntryList<GrantRequest>,
  clock: Clock,
  onChange: () => void,
): ActingGrants {
  const indexes = new Map<string, SubjectIndex>();
  const queue = createExpiryQueue();
  const expired = new Set<Entry<GrantRequest>>();
  // The sum does not depend on the order in which they expired.
  let expiredSum = 0n;
  let expiries = 0;
  let untold: Entry<GrantRequest>[] = [];

  function of(projectId: string): SubjectIndex {
    let index = indexes.get(projectId);
    if (index === undefined) {
      index = createSubjectIndex();
      indexes.set(projectId, index);
    }
    return index;
  }

  function expire(grant: Entry<GrantRequest>): void {
    expired.add(grant);
    expiredSum ^= digestOf(grant);
  }

  function include(grant: Entry<GrantRequest>): void {
    if (expiresAtMs(grant) <= clock.now()) expire(grant);
    else {
      of(grant.projectId).add(grant.id, grant.definition);
      queue.add(grant);
    }
  }

  function exclude(grant: Entry<GrantRequest>): void {
    if (expired.delete(grant)) expiredSum ^= digestOf(grant);
    else {
      of(grant.projectId).remove(grant.id, grant.definition);
      queue.remove(grant);
    }
  }

  function catchUp(): void {
    const nextMs = queue.nextMs();
    if (nextMs === Number.POSITIVE_INFINITY || clock.now() < nextMs) return;
    while (queue.nextMs() <= clock.now()) {
      const grant = queue.take() as Entry<GrantRequest>;
      of(grant.projectId).remove(grant.id, grant.definition);
      expire(grant);
      untold.push(grant);
      expiries++;
    }
    onChange();
  }

  for (const grant of entries.all()) include(grant);
  entries.onChange((before, after) => {
    if (before !== null) exclude(before);
    if (after !== null) include(after);
    onChange();
  });

  return {
    of,
    catchUp,
    takeExpired() {
      catchUp();
      const taken = untold;
      untold = [];
      return taken;
    },
    claimNames: (projectId) => of(projectId).claimNames(),
    revision() {
      catchUp();
      return entries.revision() + expiries;
    },
    fingerprint() {
      catchUp();
      return (BigInt(`0x${entries.fingerprint()}`) ^ expiredSum).toString(16).padStart(16, '0');
    },
  };
}

function digestOf({ projectId, id, definition }: Entry<GrantRequest>): bigint {
  const text = JSON.stringify(['expired', projectId, id, definition.expires_at]);
  return BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
}
