import type { ProbeStep } from './call.ts';

/** Where tools live: a worker (Arcade's worker protocol, wire type `http`) or an MCP server (wire type `mcp`). */
export interface Source {
  /** Chosen by whoever registers it; unique in the project; the REST API's worker id. */
  readonly id: string;
  readonly projectId: string;
  readonly kind: 'worker' | 'mcp';
  readonly enabled: boolean;
  /** `file`: declared in the config file, read-only in the API, may be internal. */
  readonly origin: 'file' | 'api';
  /** `stdio:` and the command, where we start the server ourselves. */
  readonly uri: string;
  /** How to start it, where we do; only what the config file declares. */
  readonly stdio?: StdioCommand | null;
  readonly timeoutMs: number;
  /** By the tool's own name; `timeoutMs` for all others. Read by `timeoutMsOf`. */
  readonly toolTimeoutsMs?: { readonly [tool: string]: number };
  /** How often a call that was surely not executed may be sent again. */
  readonly retry: number;
  /** What becomes of a tool whose definition differs from the approved one; `off` where it is missing. */
  readonly pin?: PinMode;
  /** Worker protocol: signs the tokens that we present. Never leaves the process in any answer, log or record. */
  readonly secret: string | null;
  /** MCP: of which provider of the project calls carry the user's token. */
  readonly authProvider?: { readonly id: string; readonly scopes: readonly string[] } | null;
  /** MCP: sent with every request; `${secret:NAME}` already resolved from `secrets`, what is left of it are secrets of the project. */
  readonly headers: { readonly [name: string]: string };
  readonly secrets: { readonly [name: string]: string };
  /** The headers as they were written, and fields of the REST shape that do not act yet; only given back. */
  readonly kept?: { readonly [field: string]: unknown };
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `warn`: it is recorded; `quarantine`: the tool is held back until somebody approves. */
export type PinMode = 'off' | 'warn' | 'quarantine';

/** An MCP server in a process of ours. */
export interface StdioCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Its values are secrets. */
  readonly env: { readonly [name: string]: string };
  readonly cwd: string | null;
  /** A process for each user instead of one for all. */
  readonly perUser: boolean;
}

/** How long a call of this tool may take. */
export function timeoutMsOf({ timeoutMs, toolTimeoutsMs = {} }: Source, tool: string): number {
  return Object.hasOwn(toolTimeoutsMs, tool) ? (toolTimeoutsMs[tool] ?? timeoutMs) : timeoutMs;
}

/** What is known about a source's health: which step of the probe failed, why, and what to change. */
export interface SourceStatus {
  readonly state: 'unknown' | 'healthy' | 'unhealthy' | 'disabled';
  /** One sentence for a person; for a healthy source it says how many tools, prompts and resources it offers. */
  readonly message: string;
  readonly failedStep: ProbeStep | null;
  readonly steps: readonly { readonly step: ProbeStep; readonly ok: boolean; readonly detail: string }[];
  readonly toolCount: number;
  readonly promptCount: number;
  readonly resourceCount: number;
  readonly checkedAt: string | null;
  /** Of this state: when it was found first. */
  readonly since: string | null;
  /** For MCP sources: the era that the last probe found. */
  readonly protocolVersion: string | null;
  readonly serverInfo: {
    readonly name: string;
    readonly version: string;
    readonly description?: string;
  } | null;
}
