import type { Caller, Gateway, Refusal, RuleTarget } from '#domain';
import type { Result } from '#foundation';

declare const granted: unique symbol;

/** Proof that the caller may see and use the target. Only `decide` makes one. */
export interface Grant {
  readonly [granted]: true;
}

export interface Policy {
  /** May this caller see and use this tool, prompt or resource here? The same decision for listing and using. */
  decide(caller: Caller, gateway: Gateway | null, target: RuleTarget): Result<Grant, Refusal>;
}
