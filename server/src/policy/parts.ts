import type { Gateway } from '#domain';
import type { Clock } from '#foundation';
import type { Approvals } from './approvals/contract.ts';
import type { Grants } from './grants/contract.ts';
import type { Hooks } from './hooks/contract.ts';
import type { Limits } from './limits/contract.ts';
import type { Rules } from './rules/contract.ts';

/** What a decision is made with. */
export interface Parts {
  readonly grants: Grants;
  readonly rules: Rules;
  readonly limits: Limits;
  readonly hooks: Hooks;
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly version: () => string;
  /** Claims that grants and rules go by. */
  readonly claimNames: (projectId: string) => ReadonlySet<string>;
  /** The gateway as it is defined now. */
  readonly currentGateway: (gateway: Gateway) => Gateway | null;
}
