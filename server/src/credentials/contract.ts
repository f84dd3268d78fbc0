import type { Caller, Credential, Refusal, Tool } from '#domain';
import type { Result } from '#foundation';

export interface Credentials {
  /**
   * What this call must carry: nothing for a tool that asks for nothing. A tool that needs the user's authorization or a
   * secret is refused with `credentials.not_configured` until it can be served.
   */
  attach(
    caller: Caller,
    tool: Tool,
    /** Secrets that a hook gave for this call. */
    given: Credential['secrets'],
  ): Promise<Result<Credential | null, Refusal>> | Result<Credential | null, Refusal>;
}
