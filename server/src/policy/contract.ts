import type { Caller, Gateway, Refusal, Tool } from '#domain';
import type { Result } from '#foundation';

declare const granted: unique symbol;

/** Proof that the caller may see and call the tool. Only `decide` makes one. */
export interface Grant {
  readonly [granted]: true;
}

export interface Policy {
  /** May this caller see and call this tool here? The same decision for listing and calling. */
  decide(caller: Caller, gateway: Gateway | null, tool: Tool): Result<Grant, Refusal>;
}
