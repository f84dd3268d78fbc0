import type { GrantRequest, RuleRequest, SimulateRequest } from '@sallyport/contracts';
import type { Clock, Members } from '#foundation';
import type { RecordedCall } from './contract.ts';
import type { EntryList } from './entries.ts';

/** Recorded calls decided again under a changed policy. */
export function simulate(
  _now: { grants: EntryList<GrantRequest>; rules: EntryList<RuleRequest>; clock: Clock },
  _projectId: string,
  _asked: SimulateRequest,
  _recorded: readonly RecordedCall[],
): Members {
  return {};
}
