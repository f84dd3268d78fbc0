import { createHash } from 'node:crypto';
import type { Client, Tool } from '@modelcontextprotocol/client';
import { beginning, bounded } from '../remote/bounded.ts';
import { version } from '../version.ts';

/** A tool by what a caller depends on: its name, and the schemas of what goes in and comes out. */
export interface VerifiedTool {
  readonly name: string;
  readonly schema: string;
}

/** One generation of the protocol, as the server speaks it. */
export interface EraReport {
  /** `2026-07-28` is without sessions; `initialize` is every revision before it. */
  readonly era: '2026-07-28' | 'initialize';
  /** Null where it does not speak it. */
  readonly revision: string | null;
  readonly tools: readonly VerifiedTool[];
  /** Why it does not. */
  readonly error: string | null;
}

export interface ToolsReport {
  /** The newer first. */
  readonly eras: readonly EraReport[];
  /** `proxmox 1.4.2`, as it calls itself. */
  readonly server: string | null;
  readonly tools: readonly VerifiedTool[];
  /** Expected, and not listed. */
  readonly missing: readonly string[];
  /** Listed in one era only. */
  readonly differing: readonly string[];
  /** Of the call that was asked for; null where none was. */
  readonly call: { readonly ok: boolean; readonly said: string } | null;
}

export interface VerifyToolsOptions {
  readonly fetch: typeof fetch;
  readonly headers?: Readonly<Record<string, string>>;
  /** Names that must be listed. */
  readonly expected?: readonly string[] | undefined;
  readonly call?:
    | { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> }
    | undefined;
  /** Of each request. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks an MCP server for its tools as clients of either generation do, and calls one where that is wanted. */
export async function verifyTools(url: string, options: VerifyToolsOptions): Promise<ToolsReport> {
  const eras: EraReport[] = [];
  let server: string | null = null;
  let call: ToolsReport['call'] = null;
  for (const era of ['2026-07-28', 'initialize'] as const) {
    const met = await meet(url, era, options);
    if ('error' in met) {
      eras.push({ era, revision: null, tools: [], error: met.error });
      continue;
    }
    const { client, tools } = met;
    eras.push({ era, revision: client.getNegotiatedProtocolVersion() ?? era, tools, error: null });
    const info = client.getServerVersion();
    server ??= info === undefined ? null : `${info.name} ${info.version}`;
    if (options.call !== undefined) call ??= await canary(client, options.call, options);
    await client.close().catch(() => undefined);
  }
  const listed = eras.filter(({ error }) => error === null).map(({ tools }) => tools);
  const tools = listed[0] ?? [];
  return {
    eras,
    server,
    tools,
    missing: (options.expected ?? []).filter((name) => !tools.some((tool) => tool.name === name)),
    differing: listed.length < 2 ? [] : toolDifferences(tools, listed[1] ?? []),
    call,
  };
}

/** Of one answer, more than any list of tools. */
const greatestBytes = 16 * 1024 * 1024;
/** All requests of one era together, in those that are late. */
const longest = 4;

type Met = { readonly client: Client; readonly tools: readonly VerifiedTool[] } | { readonly error: string };

async function meet(url: string, era: EraReport['era'], options: VerifyToolsOptions): Promise<Met> {
  const sdk = await import('@modelcontextprotocol/client');
  const { timeoutMs: timeout, headers = {} } = options;
  // A list of many slow pages ends, too.
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal, AbortSignal.timeout(longest * timeout)]);
  const mode = era === 'initialize' ? ('legacy' as const) : { pin: era };
  const client = new sdk.Client({ name: 'sallyport-verify', version }, { versionNegotiation: { mode } });
  let refused: string | null = null;
  const transport = new sdk.StreamableHTTPClientTransport(new URL(url), {
    // Redirects would lead the request, and what it carries, elsewhere.
    fetch: async (input, init) => {
      const response = await options.fetch(input, { ...init, redirect: 'manual' });
      if (response.ok || init?.method !== 'POST') {
        return bounded(response, greatestBytes, ({ message }) => {
          refused = message;
          ended.abort();
        });
      }
      const text = await beginning(response, timeout);
      refused = whyRefused(response.status, text);
      return new Response(text, { status: response.status, headers: response.headers });
    },
    requestInit: { headers, signal },
  });
  try {
    await client.connect(transport, { timeout, signal });
    const lists = client.getServerCapabilities()?.tools !== undefined;
    const { tools } = lists ? await client.listTools({}, { timeout, signal }) : { tools: [] };
    return { client, tools: tools.map(verified) };
  } catch (error) {
    await client.close().catch(() => undefined);
    options.signal.throwIfAborted();
    return { error: refused ?? deepest(error) };
  }
}

/** The status and what the answer says, in a line. */
function whyRefused(status: number, text: string): string {
  const hint = hints[status];
  const said =
    messageIn(text) ??
    text
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 200);
  return [`HTTP ${status}`, said, hint].filter((part) => part !== undefined && part !== '').join(': ');
}

const hints: Readonly<Record<number, string>> = {
  401: 'it asks who calls',
  404: 'there is no MCP endpoint at this path',
  405: 'there is no MCP endpoint at this path',
};

function messageIn(text: string): string | undefined {
  try {
    const { message, error } = JSON.parse(text);
    const said = message ?? error?.message ?? error;
    return typeof said === 'string' ? said.slice(0, 300) : undefined;
  } catch {
    return undefined;
  }
}

function deepest(error: unknown): string {
  let said = error instanceof Error ? error.message : String(error);
  for (let at = error; at instanceof Error; at = at.cause)
    said = at.message || ((at as NodeJS.ErrnoException).code ?? said);
  return said.slice(0, 300);
}

function verified({ name, inputSchema, outputSchema }: Tool): VerifiedTool {
  const text = canonical([inputSchema, outputSchema ?? null]);
  return { name, schema: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}

/** Keys in one order; `$schema` only says in which dialect. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .filter(([name]) => name !== '$schema')
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : inner,
  );
}

async function canary(
  client: Client,
  { tool, arguments: given }: NonNullable<VerifyToolsOptions['call']>,
  { timeoutMs: timeout, signal }: VerifyToolsOptions,
): Promise<ToolsReport['call']> {
  try {
    const result = await client.callTool({ name: tool, arguments: { ...given } }, { timeout, signal });
    const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
    return { ok: result.isError !== true, said: text.replace(/\s+/g, ' ').slice(0, 200) };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, said: deepest(error) };
  }
}

/** Names that only one side lists, or lists with other schemas. */
export function toolDifferences(one: readonly VerifiedTool[], other: readonly VerifiedTool[]): string[] {
  const [a, b] = [one, other].map((tools) => new Map(tools.map(({ name, schema }) => [name, schema])));
  if (a === undefined || b === undefined) return [];
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort();
}
