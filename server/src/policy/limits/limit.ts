import type { LimitRequest, limitDimensions } from '@sallyport/contracts';
import type { Entry } from '../entries.ts';
import { matcherOf, type TargetMatcher } from '../matching.ts';
import type { LimitedCall, LimitTrace } from './contract.ts';

/** A limit, ready to be asked. */
export interface Limit {
  readonly entry: Entry<LimitRequest>;
  readonly matches: TargetMatcher['matches'];
  readonly rate: Rate | null;
  /** Calls under way at once. */
  readonly places: number | null;
  /** Of what a call is counted for; calls that are counted apart have different ones. */
  readonly keyOf: (call: LimitedCall) => string;
  readonly passed: LimitTrace;
}

/** One count that a call is about. */
export interface Asked {
  readonly limit: Limit;
  readonly key: string;
}

/**
 * A token bucket by what was taken out, in units of which whole milliseconds give back whole ones: nothing is rounded, and an
 * empty count means the same after the limit was changed.
 */
export interface Rate {
  readonly unitsPerMs: number;
  readonly unitsPerCall: number;
  readonly capacity: number;
}

export function compileLimit(entry: Entry<LimitRequest>): Limit {
  const { name, per, rate, concurrency } = entry.definition;
  return {
    entry,
    matches: matcherOf(entry.definition).matches,
    rate: rate === undefined ? null : compileRate(rate),
    places: concurrency ?? null,
    keyOf: keyOf(entry.id, per),
    passed: { id: entry.id, name, outcome: 'passed' },
  };
}

function compileRate({ limit, per_seconds, burst = limit }: NonNullable<LimitRequest['rate']>): Rate {
  const perMs = per_seconds * 1000;
  const divisor = greatestCommonDivisor(limit, perMs);
  const unitsPerCall = perMs / divisor;
  return { unitsPerMs: limit / divisor, unitsPerCall, capacity: burst * unitsPerCall };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

type Dimension = (typeof limitDimensions)[number];

const parts: Readonly<Record<Exclude<Dimension, 'project'>, (call: LimitedCall) => string>> = {
  tool: ({ target }) => target.id,
  key: ({ caller }) => caller.principal.id,
  gateway: ({ gateway }) => gateway?.id ?? '',
  // The one part that others choose: it comes last, so that no name looks like two parts. Calls without a user are one user's.
  user: ({ caller }) => caller.userId ?? '',
};

/** A limit is a project's, so that the project needs no part of its own. */
function keyOf(id: string, per: readonly Dimension[]): (call: LimitedCall) => string {
  const [first, ...others] = (['tool', 'key', 'gateway', 'user'] as const)
    .filter((dimension) => per.includes(dimension))
    .map((dimension) => parts[dimension]);
  if (first === undefined) return () => id;
  if (others.length === 0) return (call) => `${id}\n${first(call)}`;
  return (call) => others.reduce((key, part) => `${key}\n${part(call)}`, `${id}\n${first(call)}`);
}
