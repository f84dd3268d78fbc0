import type { GrantRequest, SubjectSelector } from '@sallyport/contracts';
import type { Gateway, RuleTarget, Subject } from '#domain';
import type { Entry } from '../entries.ts';
import { matcherOf, matchesSubject } from '../matching.ts';
import type { GrantExplanation } from './contract.ts';
import { expiresAtMs } from './expiry-queue.ts';

/** Of these grants, those that speak of the target and the gateway; and why each acts for the subject, or does not. */
export function explainGrants(
  grants: readonly Entry<GrantRequest>[],
  subject: Subject,
  gateway: Gateway | null,
  target: RuleTarget,
  nowMs: number,
): readonly GrantExplanation[] {
  return grants
    .filter(({ definition }) => matcherOf(definition).matches(gateway, target))
    .map((grant) => {
      const { subject: selector, expires_at } = grant.definition;
      if (expiresAtMs(grant) <= nowMs) return { grant, matches: false, why: `it expired at ${expires_at}` };
      const matches = matchesSubject([selector], subject);
      return { grant, matches, why: matches ? whyIs(selector) : whyIsNot(selector, subject) };
    });
}

function whyIs(selector: SubjectSelector): string {
  if ('everyone' in selector) return 'it is for everyone';
  if ('user' in selector) return `it is for user ${quoted(selector.user)}`;
  if ('group' in selector) return `it is for group ${quoted(selector.group)}, which the user is in`;
  const { name, value } = selector.claim;
  return `it is for those whose claim ${quoted(name)} is ${quoted(value)} or holds it, as this user's does`;
}

function whyIsNot(selector: SubjectSelector, { userId, claims }: Subject): string {
  if ('user' in selector)
    return `it is for user ${quoted(selector.user)}, and ${userId === null ? 'no user is named' : `this is ${quoted(userId)}`}`;
  if ('group' in selector) return `it is for group ${quoted(selector.group)}, which the user is not in`;
  if (!('claim' in selector)) return 'it is for others';
  const { name, value } = selector.claim;
  const ofOthers = `it is for those whose claim ${quoted(name)} is ${quoted(value)} or holds it`;
  return Object.hasOwn(claims, name)
    ? `${ofOthers}, and this user's is another`
    : `${ofOthers}, and this user has no such claim`;
}

function quoted(value: string | number | boolean): string {
  return JSON.stringify(value);
}
