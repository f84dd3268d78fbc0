import type { GrantRequest } from '@sallyport/contracts';
import type { Clock } from '#foundation';
import type { EntryList } from '../entries.ts';
import { matcherOf, matchesSubject } from '../matching.ts';
import type { Grants } from './contract.ts';

export interface GrantsDeps {
  readonly entries: EntryList<GrantRequest>;
  readonly clock: Clock;
  /** A grant came to its end by itself. */
  readonly onExpired: (gatewaySlug: string | null) => void;
}

export function createGrants({ entries, clock }: GrantsDeps): Grants {
  const explain: Grants['explain'] = (subject, gateway, target) =>
    entries
      .list(target.projectId)
      .filter(({ definition }) => matcherOf(definition).matches(gateway, target))
      .map((grant) => {
        const { subject: who, expires_at } = grant.definition;
        const expired = expires_at != null && Date.parse(expires_at) <= clock.now();
        const matches = !expired && matchesSubject([who], subject);
        return { grant, matches, why: expired ? 'it expired' : matches ? 'it matches' : 'it is for others' };
      });
  const decide: Grants['decide'] = (subject, gateway, target) => {
    const matching = explain(subject, gateway, target).filter(({ matches }) => matches);
    const of = (effect: string) =>
      matching.filter(({ grant }) => grant.definition.effect === effect).map(({ grant }) => grant.id);
    const denied = of('deny');
    if (denied.length > 0) return { allowed: false, grantIds: denied };
    const allowed = of('allow');
    return { allowed: gateway?.access !== 'granted' || allowed.length > 0, grantIds: allowed };
  };
  return {
    decide,
    explain,
    filter: (subject, gateway, items, targetOf) =>
      items.filter((item) => decide(subject, gateway, targetOf(item)).allowed),
    claimNames: () => new Set(),
    close() {},
  };
}
