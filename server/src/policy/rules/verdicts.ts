import type { RuleRequest, RuleTrace } from '@sallyport/contracts';
import type { Entry } from '../entries.ts';
import type { Screening } from './contract.ts';

/** What became of one rule that has something to say. */
export interface Verdict {
  readonly entry: Entry<RuleRequest>;
  readonly count: number;
  readonly places: readonly string[];
  /** Why it could not be evaluated. */
  readonly error: string | null;
}

const outcomes = {
  block: { enforce: 'blocked', log_only: 'would_block' },
  redact: { enforce: 'redacted', log_only: 'would_redact' },
  approve: { enforce: 'held', log_only: 'would_hold' },
} as const;

export function blocks({ entry, error }: Verdict): boolean {
  const { action, mode } = entry.definition;
  return mode !== 'log_only' && (action === 'block' || error !== null);
}

export function isHeld({ entry, error }: Verdict): boolean {
  const { action, mode } = entry.definition;
  return mode !== 'log_only' && action === 'approve' && error === null;
}

export function traceOf({ entry, count, places, error }: Verdict): RuleTrace {
  const { name, action, mode = 'enforce' } = entry.definition;
  const outcome = outcomes[error === null ? action : 'block'][mode];
  const trace = { id: entry.id, name, outcome, count, places: [...new Set(places)] };
  return error === null ? trace : { ...trace, error };
}

/** What is told of a rule that blocks: `reason` to the audit, `message` to the caller. */
export function blockedBy({ entry, count, places, error }: Verdict): NonNullable<Screening['blocked']> {
  const { name, direction, message } = entry.definition;
  if (error !== null) {
    return {
      rule: entry,
      message: `the rule "${name}" of this gateway could not be evaluated, so it lets nothing pass: tell whoever runs the gateway`,
      reason: `rule ${JSON.stringify(name)} (${entry.id}) could not be evaluated: ${error}`,
    };
  }
  const found = count === 1 ? 'at one place' : `at ${count} places`;
  const where = places.length === 0 ? '' : `: ${[...new Set(places)].slice(0, 5).join(', ')}`;
  return {
    rule: entry,
    message: message ?? advice[direction](name),
    reason: `rule ${JSON.stringify(name)} (${entry.id}) matches ${found}${where}`,
  };
}

const advice = {
  input: (name: string) =>
    `the rule "${name}" of this gateway does not let this in, so nothing was run: take out what the rule is about, then call again`,
  output: (name: string) =>
    `the rule "${name}" of this gateway does not let the answer out: ask for something that it does not concern`,
};
