import type { RuleRequest } from '@sallyport/contracts';
import type { Members } from '#foundation';
import type { Asking, Grant } from './contract.ts';
import type { Entry } from './entries.ts';
import type { Parts } from './parts.ts';
import type { Document, Screening } from './rules/contract.ts';
import { addRules } from './trace.ts';

type Direction = RuleRequest['direction'];

/** What rules say of a document; `null` where none speaks of the target. The document is made only where one does. */
export function screen(
  { rules, clock }: Parts,
  { caller, gateway, target }: Asking,
  direction: Direction,
  args: Members,
  document: () => Document,
): Screening | null {
  const plan = rules.plan(direction, gateway, target);
  if (plan === null) return null;
  return plan.screen(document(), { subject: caller, gateway, target, args, nowMs: clock.now() });
}

/** The same in a call, whose trace tells of it. */
export function screenCall(
  parts: Parts,
  grant: Grant,
  direction: Direction,
  args: Members,
  document: () => Document,
): Screening | null {
  const found = screen(parts, grant, direction, args, document);
  if (found !== null) addRules(grant.trace, found.traces);
  return found;
}

/** Whether a rule goes by what it is shown; any other that holds calls was asked about when the call came. */
export function looksFor({ definition }: Entry<RuleRequest>): boolean {
  return definition.match !== undefined;
}
