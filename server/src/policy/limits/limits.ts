import type { LimitRequest } from '@sallyport/contracts';
import { type Clock, ok } from '#foundation';
import type { EntryList } from '../entries.ts';
import type { Limits } from './contract.ts';

export interface LimitsDeps {
  readonly entries: EntryList<LimitRequest>;
  readonly clock: Clock;
}

export function createLimits(_deps: LimitsDeps): Limits {
  return { take: () => ok({ traces: [], release() {} }), peek: async () => [], close() {} };
}
