import { type Clock, Fault, type Sealer } from '#foundation';
import type { Db } from '#storage';
import type { Approvals } from './contract.ts';

export interface ApprovalsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
}

export function createApprovals(_deps: ApprovalsDeps): Approvals {
  return {
    redeem: () => Promise.reject(new Fault('not built')),
    list: async () => [],
    get: async () => null,
    decide: () => Promise.reject(new Fault('not built')),
  };
}
