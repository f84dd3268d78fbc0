/**
 * What the judge must know of a gateway to judge it: how users reach it, and how its administrators say what users may do.
 * Everything else is seen from outside.
 */
export type Toolkit = 'Github' | 'Atlassian';

export interface ToolRef {
  readonly toolkit: Toolkit;
  /** As its server calls it; `*` for all of the toolkit, in grants and rules. */
  readonly tool: string;
}

/** Servers that the judge started, for the gateway to stand before. */
export interface UpstreamAddresses {
  /** As a worker of Arcade's protocol, and the same tools as an MCP server for gateways that know no workers. */
  readonly github: { readonly workerUri: string; readonly secret: string; readonly mcpUri: string };
  readonly atlassian: { readonly mcpUri: string };
}

/** What the module named by `--adapter` exports as `adapter`. */
export interface Adapter {
  readonly name: string;
  /**
   * Whether the GitHub worker may run in strict mode (`docs/guides/worker-trust.md`), must take what stock workers take, or
   * is not used, and why.
   */
  readonly worker: 'strict' | 'stock' | { readonly notSupported: string };
  /** Ready to serve the tools of both upstreams on one MCP endpoint, on which users may do what is granted and nothing else. */
  start(upstreams: UpstreamAddresses): Promise<GatewayUnderTest>;
}

export interface GatewayUnderTest {
  /** How this user's MCP client reaches the gateway: with credentials of that user alone, where the gateway has such. */
  connect(
    user: string,
  ): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }>;
  /** The tool's name in `tools/list`. */
  wireName(tool: ToolRef): string;
  readonly control: Control;
  stop(): Promise<void>;
}

/** A function that the gateway has nothing for calls `notSupported`. */
export interface Control {
  grant(user: string, tools: readonly ToolRef[]): Promise<Handle>;
  revoke(grant: Handle): Promise<void>;
  /** Refuses calls whose arguments hold what the regular expression matches. */
  blockInput(pattern: string, tools: readonly ToolRef[]): Promise<Handle>;
  /** Takes out what matches, or what stands at a JSONPath of the tool's output. */
  redactOutput(
    match: { readonly pattern: string } | { readonly path: string },
    tools: readonly ToolRef[],
  ): Promise<Handle>;
  removeRule(rule: Handle): Promise<void>;
  /** The gateway's own records of this user's tool calls. */
  records(user: string): Promise<readonly RecordedDecision[]>;
}

/** Names a grant or a rule to its gateway. */
export type Handle = string;

export interface RecordedDecision {
  /** `failed`: it was allowed, and did not succeed. */
  readonly decision: 'allowed' | 'refused' | 'failed';
  /** The tool, in whatever form the gateway names it. */
  readonly tool: string;
  readonly user: string;
  /** How many values were taken out of the answer. */
  readonly redactions: number;
  /** The whole record, to see what it tells. */
  readonly raw: string;
}

const unsupported = 'NotSupported';

/** Says that the gateway under test cannot do it. Counts as not passed. */
export function notSupported(why: string): never {
  throw Object.assign(new Error(why), { name: unsupported });
}

export function isNotSupported(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === unsupported;
}
