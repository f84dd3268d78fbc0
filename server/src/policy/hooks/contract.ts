import type {
  BindingType,
  CreateHookRequest,
  CreatePluginRequest,
  DeclaredHookRequest,
  DeclaredPluginRequest,
  HealthStatus,
  HookTrace,
  PluginDefinition,
  PreHookRequest,
  UpdateHookRequest,
  UpdatePluginRequest,
  UpsertHooksRequest,
  UpsertHooksResponse,
} from '@sallyport/contracts';
import type { Refusal, Subject, Tool } from '#domain';
import type { Members, Result } from '#foundation';
import type { Entry } from '../entries.ts';

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
  /** What the call carries of the user's authorizations; nothing unless told. */
  readonly carried?: PreHookRequest['context']['authorization'];
  /** Nothing will run: it is not counted. */
  readonly dryRun?: boolean;
}

export interface HookedOutput extends HookedCall {
  readonly success: boolean;
  /** Any JSON. */
  readonly output: unknown;
  /** As HTTP would say it: `200`. */
  readonly code: string;
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
  /** As `pre`; its refusals say under `details.tool_ran` that what the tool did was done. */
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

/** A plugin as it is kept. Holds secrets: it never leaves the process. */
export interface KeptPlugin {
  readonly plugin: PluginDefinition;
  /** `tenant`: of the organisation. */
  readonly binding: BindingType;
  /** Grows with every change. */
  readonly version: number;
  readonly createdBy: string | null;
  readonly updatedBy: string | null;
}
export interface KeptHook {
  readonly hook: CreateHookRequest;
  readonly version: number;
}
export type PluginEntry = Entry<KeptPlugin>;
export type HookEntry = Entry<KeptHook>;

/** Who changes something, by the id of their key. */
export interface ChangeOf {
  readonly projectId: string;
  readonly by: string;
}

export interface Plugins {
  /** The oldest first. */
  list(projectId: string): readonly PluginEntry[];
  get(projectId: string, id: string): PluginEntry | null;
  health(id: string): HealthStatus | 'unknown';
  /** Each of its endpoints becomes a hook. `resource.conflict` for a second `group_access` in the same binding. */
  create(
    change: ChangeOf & { readonly binding: BindingType },
    request: CreatePluginRequest,
  ): Promise<Result<{ readonly plugin: PluginEntry; readonly hooks: readonly HookEntry[] }, Refusal>>;
  update(change: ChangeOf, id: string, request: UpdatePluginRequest): Promise<Result<PluginEntry, Refusal>>;
  /** `resource.conflict` while it has hooks. */
  remove(projectId: string, id: string): Promise<Result<PluginEntry, Refusal>>;
  /** Makes the file's plugins, and the hooks of their endpoints, exactly these. */
  applyFile(projectId: string, requests: readonly DeclaredPluginRequest[]): void;
}

export interface HookRegister {
  /** The oldest first. */
  list(projectId: string): readonly HookEntry[];
  get(projectId: string, id: string): HookEntry | null;
  /** `resource.conflict` where the plugin has a hook at this point already. */
  create(projectId: string, request: CreateHookRequest): Promise<Result<HookEntry, Refusal>>;
  update(projectId: string, id: string, request: UpdateHookRequest): Promise<Result<HookEntry, Refusal>>;
  /** All of them, or none. */
  upsertAll(projectId: string, request: UpsertHooksRequest): Promise<UpsertHooksResponse>;
  remove(projectId: string, id: string): Promise<Result<HookEntry, Refusal>>;
  /** Makes the file's hooks that stand by themselves exactly these. */
  applyFile(projectId: string, requests: readonly DeclaredHookRequest[]): void;
}
