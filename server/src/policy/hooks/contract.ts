import type { HookTrace } from '@sallyport/contracts';
import type { Refusal, Subject, Tool } from '#domain';
import type { Members, Result } from '#foundation';

export interface AccessAnswer {
  /** Whether hooks let the user see and use it; a tool that was not asked for is refused. */
  allows(tool: Tool): boolean;
  readonly traces: readonly HookTrace[];
}

export interface HookedCall {
  readonly subject: Subject;
  readonly tool: Tool;
  readonly executionId: string;
  readonly args: Members;
  readonly signal: AbortSignal | null;
}

export interface HookedOutput extends HookedCall {
  readonly success: boolean;
  /** Any JSON. */
  readonly output: unknown;
  /** Of a tool that failed. */
  readonly error: string | null;
}

/** A refusal, and what every hook said until then. */
export type HookRefusal = Refusal & { readonly traces: readonly HookTrace[] };

/** Servers of others, asked by Arcade's webhook contract; and the directories of `group_access`. */
export interface Hooks {
  /** Whether anybody is to be asked at this point at all. */
  has(projectId: string, point: 'access' | 'pre' | 'post'): boolean;
  /** One question for all these tools; answers are kept as long as the hook's `cache_ttl_ms` says. Never throws. */
  access(
    projectId: string,
    subject: Subject,
    tools: readonly Tool[],
    signal: AbortSignal | null,
  ): Promise<AccessAnswer>;
  /** `policy.hook_denied`, `policy.rate_limited`; `policy.hook_failed` where one that must answer did not. */
  pre(call: HookedCall): Promise<
    Result<
      {
        /** `null` where no hook changed them. */
        readonly args: Members | null;
        readonly secrets: readonly { readonly key: string; readonly value: string }[];
        readonly traces: readonly HookTrace[];
      },
      HookRefusal
    >
  >;
  post(
    call: HookedOutput,
  ): Promise<
    Result<
      { readonly output: { readonly value: unknown } | null; readonly traces: readonly HookTrace[] },
      HookRefusal
    >
  >;
  close(): void;
}
