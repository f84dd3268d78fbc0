import type { RuleRequest } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import type { EntryList } from '../entries.ts';
import type { Rules } from './contract.ts';

export function createRules(_entries: EntryList<RuleRequest>): Rules {
  return { plan: () => null, claimNames: () => new Set() };
}

/** What is wrong with a rule that its schema cannot see. */
export function checkRule(_rule: RuleRequest): Refusal | null {
  return null;
}
