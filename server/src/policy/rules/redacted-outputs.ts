import type { RuleRequest } from '@sallyport/contracts';
import type { Entry, EntryList } from '../entries.ts';
import { matcherOf } from '../matching.ts';
import type { Redactions, Rules } from './contract.ts';

/** Whether the rule changes what comes out. */
export function redactsOutputs({ definition }: Entry<RuleRequest>): boolean {
  const { enabled, direction, action, mode } = definition;
  return enabled !== false && direction === 'output' && action === 'redact' && mode !== 'log_only';
}

export function createRedactedOutputs(entries: EntryList<RuleRequest>): Rules['redactions'] {
  const byProject = new Map<string, Redactions | null>();
  let revision = -1;

  return (projectId) => {
    if (revision !== entries.revision()) {
      revision = entries.revision();
      byProject.clear();
    }
    let redactions = byProject.get(projectId);
    if (redactions === undefined) {
      redactions = redactionsOf(entries.list(projectId).filter(redactsOutputs));
      byProject.set(projectId, redactions);
    }
    return redactions;
  };
}

function redactionsOf(acting: readonly Entry<RuleRequest>[]): Redactions | null {
  if (acting.length === 0) return null;
  const matchers = acting.map(({ definition }) => matcherOf(definition));
  return { concern: (gateway, target) => matchers.some((matcher) => matcher.matches(gateway, target)) };
}
